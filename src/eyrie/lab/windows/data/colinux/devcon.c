// SPDX-License-Identifier: GPL-3.0-or-later
// A stand-in of Eyrie's lab for devcon.exe and tapcontrol.exe (which is DevCon under another name): verbs and exit codes of
// DevCon, adapters that are entries of the registry. Every `install` adds one more, as there.
#include "common.h"

enum { DONE, REBOOT, FAIL, USAGE };

static int each(const char *id, int remove, int print)
{
    char subkey[16], path[512], value[256], guid[64];
    int found = 0;

    for (int number = 99; number >= 0; number--) {
        DWORD size = sizeof value;
        sprintf(subkey, "%04d", number);
        snprintf(path, sizeof path, CLASS_KEY "\\%s", subkey);
        if (RegGetValueA(HKEY_LOCAL_MACHINE, path, "ComponentId", RRF_RT_REG_SZ, NULL, value, &size) || _stricmp(value, id))
            continue;
        found++;
        if (print)
            printf("ROOT\\NET\\%04d\n    Name: TAP-Win32 Adapter\n    Hardware IDs:\n        %s\n", number, id);
        if (remove) {
            size = sizeof guid;
            RegGetValueA(HKEY_LOCAL_MACHINE, path, "NetCfgInstanceId", RRF_RT_REG_SZ, NULL, guid, &size);
            RegDeleteTreeA(HKEY_LOCAL_MACHINE, path);
            snprintf(path, sizeof path, NETWORK_KEY "\\%s", guid);
            RegDeleteTreeA(HKEY_LOCAL_MACHINE, path);
            printf("ROOT\\NET\\%04d: Removed\n", number);
        }
    }
    return found;
}

static void write_value(const char *path, const char *name, const char *value)
{
    HKEY key;
    RegCreateKeyExA(HKEY_LOCAL_MACHINE, path, 0, NULL, 0, KEY_WRITE, NULL, &key, NULL);
    RegSetValueExA(key, name, 0, REG_SZ, (const BYTE *)value, strlen(value) + 1);
    RegCloseKey(key);
}

static int install(const char *inf, const char *id)
{
    char path[512], guid[64], value[256], usual[64];
    int number, there = 0;
    SC_HANDLE manager = OpenSCManagerA(NULL, NULL, SC_MANAGER_ALL_ACCESS);

    if (GetFileAttributesA(inf) == INVALID_FILE_ATTRIBUTES) {
        printf("devcon failed.\n");
        return FAIL;
    }
    for (number = 1; number < 99; number++) {
        DWORD size = sizeof value;
        snprintf(path, sizeof path, CLASS_KEY "\\%04d", number);
        if (RegGetValueA(HKEY_LOCAL_MACHINE, path, "ComponentId", RRF_RT_REG_SZ, NULL, value, &size))
            break;
        there++;
    }
    sprintf(guid, "{00000000-0000-0000-0000-%012lx}", GetTickCount());
    write_value(path, "ComponentId", id);
    write_value(path, "NetCfgInstanceId", guid);
    GetPrivateProfileStringA("desktop", "ConnectionName", "Local Area Connection", usual, sizeof usual, DESKTOP);
    snprintf(value, sizeof value, "%s %d", usual, there + 2);
    snprintf(path, sizeof path, NETWORK_KEY "\\%s\\Connection", guid);
    write_value(path, "Name", value);
    snprintf(path, sizeof path, "C:\\windows\\system32\\drivers\\%s.sys", id);
    CreateServiceA(manager, id, id, SERVICE_ALL_ACCESS, SERVICE_KERNEL_DRIVER, SERVICE_DEMAND_START, SERVICE_ERROR_NORMAL,
                   path, NULL, NULL, NULL, NULL, NULL);
    snprintf(value, sizeof value, "%.*stap.sys", (int)(strrchr(inf, '\\') - inf + 1), inf);
    CopyFileA(value, path, FALSE);
    printf("Device node created. Drivers installed successfully.\n");
    return DONE;
}

static void forget_driver(const char *id)
{
    char path[512];
    SERVICE_STATUS status;
    SC_HANDLE service = OpenServiceA(OpenSCManagerA(NULL, NULL, SC_MANAGER_ALL_ACCESS), id, SERVICE_ALL_ACCESS);
    ControlService(service, SERVICE_CONTROL_STOP, &status);
    DeleteService(service);
    snprintf(path, sizeof path, "C:\\windows\\system32\\drivers\\%s.sys", id);
    DeleteFileA(path);
}

int main(int argc, char **argv)
{
    const char *verb = argc > 1 ? argv[1] : "", *id = argc > 2 ? argv[argc - 1] : "";
    char lower[64];
    int found;

    if (introduced(argc, argv, "devcon", "makes adapters of registry entries alone"))
        return DONE;
    if (!_stricmp(id, "TAP")) // the name by which 0.6.1's setup removes
        id = "tapdev";
    snprintf(lower, sizeof lower, "%s", id);
    _strlwr(lower);
    if (!strcmp(verb, "hwids") || !strcmp(verb, "find")) {
        found = each(lower, 0, 1);
        printf(found ? "%d matching device(s) found.\n" : "No matching devices found.\n", found);
        return DONE;
    }
    if (!strcmp(verb, "remove")) {
        found = each(lower, 1, 0);
        if (found)
            forget_driver(lower);
        printf(found ? "%d device(s) were removed.\n" : "No devices were removed.\n", found);
        return DONE;
    }
    if (!strcmp(verb, "install") && argc == 4)
        return install(argv[2], lower);
    if (!strcmp(verb, "update") && argc == 4)
        return each(lower, 0, 0) ? DONE : FAIL;
    printf("devcon: a verb of install, update, hwids, find, remove\n");
    return USAGE;
}
