// SPDX-License-Identifier: GPL-3.0-or-later
// A stand-in of Eyrie's lab for coLinux's network helpers, one for every name they have. It ends where the real one would: no
// WinPcap, no such adapter. Else it plays the guest at its address: it answers on TCP port 22, says that it is a
// stand-in, and shuts the guest down for one who says `poweroff`.
#include "common.h"

// Whether an adapter of the desktop is what the release looks for.
static int adapter_fits(const char *name)
{
    char section[32], value[256];
    for (int number = 0; number < 10; number++) {
        sprintf(section, "nic%d", number);
        GetPrivateProfileStringA(section, NUMBER == 601 ? "Description" : "NetConnectionID", "", value, sizeof value, DESKTOP);
        if (*value && strstr(value, name))
            return 1;
    }
    return 0;
}

static int tap_fits(const char *name)
{
    char subkey[64], path[512], value[256];
    DWORD index, size;
    HKEY networks;

    RegOpenKeyExA(HKEY_LOCAL_MACHINE, NETWORK_KEY, 0, KEY_READ, &networks);
    for (index = 0; size = sizeof subkey, !RegEnumKeyExA(networks, index, subkey, &size, NULL, NULL, NULL, NULL); index++) {
        snprintf(path, sizeof path, NETWORK_KEY "\\%s\\Connection", subkey);
        size = sizeof value;
        if (!RegGetValueA(HKEY_LOCAL_MACHINE, path, "Name", RRF_RT_REG_SZ, NULL, value, &size) && !strcmp(value, name))
            return 1;
    }
    return 0;
}

int main(int argc, char **argv)
{
    static const char banner[] = "SSH-2.0-eyrie a guest that a stand-in of Eyrie's lab plays\r\n";
    const char *self = strrchr(argv[0], '\\') ? strrchr(argv[0], '\\') + 1 : argv[0];
    const char *name = "", *guest = "none", *daemon = "0";
    struct sockaddr_in address = {.sin_family = AF_INET};
    WSADATA data;
    SOCKET listener, client;

    if (introduced(argc, argv, self, "carries no frames and plays the guest"))
        return 0;
    for (int index = 1; index + 1 < argc; index += 2) {
        if (!strcmp(argv[index], "-n"))
            name = argv[index + 1];
        if (!strcmp(argv[index], "-guest"))
            guest = argv[index + 1];
        if (!strcmp(argv[index], "-daemon"))
            daemon = argv[index + 1];
    }
    if (strstr(self, "bridged") && state_of("npf") != SERVICE_RUNNING)
        return 1;
    if ((strstr(self, "bridged") || strstr(self, "ndis")) && !adapter_fits(name)) {
        printf("no matching adapter\n");
        return 1;
    }
    if (!strncmp(self, "colinux-net", 11) && *name && !tap_fits(name)) {
        printf("TAP device not found\n");
        return 1;
    }
    WSAStartup(MAKEWORD(2, 2), &data);
    address.sin_addr.s_addr = strcmp(guest, "none") ? inet_addr(guest) : htonl(INADDR_LOOPBACK);
    address.sin_port = htons(22);
    listener = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(listener, (struct sockaddr *)&address, sizeof address) || listen(listener, 8))
        Sleep(INFINITE); // nobody has given the guest's address to the lab's desktop: it is up, and unreachable
    while ((client = accept(listener, NULL, NULL)) != INVALID_SOCKET) {
        char said[64] = "", event[64];
        DWORD patience = 1000;
        setsockopt(client, SOL_SOCKET, SO_RCVTIMEO, (char *)&patience, sizeof patience);
        send(client, banner, sizeof banner - 1, 0);
        if (recv(client, said, sizeof said - 1, 0) > 0 && !strncmp(said, "poweroff", 8)) {
            HANDLE off;
            sprintf(event, "Global\\eyrie-colinux-off-%s", daemon);
            off = OpenEventA(EVENT_MODIFY_STATE, FALSE, event);
            SetEvent(off);
        }
        closesocket(client);
    }
    return 0;
}
