// SPDX-License-Identifier: GPL-3.0-or-later
// A stand-in of Eyrie's lab for WinPcap's installer: silent with /S, as the build of the Nmap project is, else it would ask. Copied
// as uninstall.exe it removes what it put there. Its driver does nothing.
#include "common.h"

#define PLACE "C:\\Program Files\\WinPcap"
#define SYS "C:\\windows\\system32\\drivers\\npf.sys"
#define UNINSTALL "SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\Uninstall\\WinPcapInst"
static const char *const libraries[] = {"C:\\windows\\system32\\wpcap.dll", "C:\\windows\\system32\\Packet.dll"};

static int uninstall(SC_HANDLE manager)
{
    SERVICE_STATUS status;
    SC_HANDLE service = OpenServiceA(manager, "npf", SERVICE_ALL_ACCESS);

    ControlService(service, SERVICE_CONTROL_STOP, &status);
    DeleteService(service);
    DeleteFileA(SYS);
    for (int index = 0; index < 2; index++)
        DeleteFileA(libraries[index]);
    RegDeleteTreeA(HKEY_LOCAL_MACHINE, UNINSTALL);
    MoveFileA(PLACE "\\uninstall.exe", "C:\\windows\\temp\\winpcap-uninstall.exe"); // what runs cannot delete itself
    RemoveDirectoryA(PLACE);
    return 0;
}

int main(int argc, char **argv)
{
    static const char text[] = "\"" PLACE "\\uninstall.exe\"";
    char self[MAX_PATH], source[MAX_PATH];
    SC_HANDLE manager = OpenSCManagerA(NULL, NULL, SC_MANAGER_ALL_ACCESS), service;
    HKEY key;

    if (introduced(argc, argv, "winpcap", "reads no packets"))
        return 0;
    if (argc < 2 || strcmp(argv[1], "/S")) { // somebody would have to click, and nobody is there
        printf("winpcap: waits for somebody to click\n");
        Sleep(3000);
        return 1;
    }
    GetModuleFileNameA(NULL, self, sizeof self);
    if (strstr(self, "uninstall"))
        return uninstall(manager);
    snprintf(source, sizeof source, "Z:\\opt\\eyrie-lab\\colinux\\npf.sys");
    CopyFileA(source, SYS, FALSE);
    CreateDirectoryA(PLACE, NULL);
    CopyFileA(self, PLACE "\\uninstall.exe", FALSE);
    for (int index = 0; index < 2; index++)
        CopyFileA(self, libraries[index], FALSE);
    RegCreateKeyExA(HKEY_LOCAL_MACHINE, UNINSTALL, 0, NULL, 0, KEY_WRITE, NULL, &key, NULL);
    RegSetValueExA(key, "UninstallString", 0, REG_SZ, (const BYTE *)text, sizeof text);
    service = CreateServiceA(manager, "npf", "NetGroup Packet Filter Driver", SERVICE_ALL_ACCESS, SERVICE_KERNEL_DRIVER,
                             SERVICE_AUTO_START, SERVICE_ERROR_NORMAL, SYS, NULL, NULL, NULL, NULL, NULL);
    StartServiceA(service, 0, NULL);
    return state_of("npf") == SERVICE_RUNNING ? 0 : 1;
}
