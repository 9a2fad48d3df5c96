// SPDX-License-Identifier: GPL-3.0-or-later
// What the stand-ins for coLinux and its neighbours share. None of it is code of coLinux.
#pragma once
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <winsock2.h>
#include <windows.h>

#define DRIVER "CoLinuxDriver"
#define DESKTOP "C:\\windows\\eyrie-lab\\desktop.ini"
#define CLASS_KEY "SYSTEM\\CurrentControlSet\\Control\\Class\\{4D36E972-E325-11CE-BFC1-08002BE10318}"
#define NETWORK_KEY "SYSTEM\\CurrentControlSet\\Control\\Network\\{4D36E972-E325-11CE-BFC1-08002BE10318}"

// Say what this is, where that was asked.
static inline int introduced(int argc, char **argv, const char *name, const char *does)
{
    if (argc > 2 || (argc == 2 && strcmp(argv[1], "--version") && strcmp(argv[1], "/?")))
        return 0;
    printf("%s: a stand-in of Eyrie's lab, which %s.\n", name, does);
    return 1;
}

// The folder this program lies in, with a backslash at its end.
static inline const char *own_folder(void)
{
    static char path[MAX_PATH];
    if (!*path) {
        GetModuleFileNameA(NULL, path, sizeof path);
        strrchr(path, '\\')[1] = 0;
    }
    return path;
}

// A service's state, or nought where there is none.
static inline DWORD state_of(const char *name)
{
    SC_HANDLE manager = OpenSCManagerA(NULL, NULL, SC_MANAGER_CONNECT), service;
    SERVICE_STATUS status = {0};

    service = OpenServiceA(manager, name, SERVICE_QUERY_STATUS);
    if (service) {
        if (!QueryServiceStatus(service, &status))
            status.dwCurrentState = 0;
        CloseServiceHandle(service);
    }
    CloseServiceHandle(manager);
    return status.dwCurrentState;
}

// Record recovery settings as Windows does in the registry; Wine's service manager forgets them.
static inline void record_recovery(const char *service, DWORD window, DWORD count, const DWORD *actions)
{
    char path[512];
    HKEY key;
    DWORD head[5] = {window, 0, 0, count, 20}, data[5 + 16];

    memcpy(data, head, sizeof head);
    memcpy(data + 5, actions, count * 8);
    snprintf(path, sizeof path, "SYSTEM\\CurrentControlSet\\Services\\%s", service);
    if (!RegOpenKeyExA(HKEY_LOCAL_MACHINE, path, 0, KEY_SET_VALUE, &key)) {
        RegSetValueExA(key, "FailureActions", 0, REG_BINARY, (BYTE *)data, 20 + count * 8);
        RegCloseKey(key);
    }
}
