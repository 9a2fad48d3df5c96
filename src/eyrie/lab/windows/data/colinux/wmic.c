// SPDX-License-Identifier: GPL-3.0-or-later
// A stand-in of Eyrie's lab for wmic.exe: answers `... get ... /value` for the few classes that a coLinux desktop is asked for.
// What the desktop is stands in desktop.ini; processes are those that run, adapters of TAP those of the registry.
#include "common.h"
#include <tlhelp32.h>
#include <winternl.h>

static void say(const char *key, const char *value)
{
    printf("%s=%s\r\r\n", key, value); // two carriage returns, as wmic ends its lines
}

static const char *told(const char *section, const char *key, const char *usual)
{
    static char value[512];
    GetPrivateProfileStringA(section, key, usual, value, sizeof value, DESKTOP);
    return value;
}

static void system_values(void)
{
    say("DataExecutionPrevention_Available", told("os", "DataExecutionPrevention_Available", "FALSE"));
    say("DataExecutionPrevention_SupportPolicy", told("os", "DataExecutionPrevention_SupportPolicy", "2"));
    say("FreePhysicalMemory", told("os", "FreePhysicalMemory", "700000"));
    say("PAEEnabled", told("os", "PAEEnabled", "FALSE"));
    say("ProductType", told("os", "ProductType", "1"));
}

static void adapter(const char *description, const char *index, const char *connection, const char *status,
                    const char *device)
{
    printf("\r\r\n");
    say("Description", description);
    say("Index", index);
    say("NetConnectionID", connection);
    say("NetConnectionStatus", status);
    say("PNPDeviceID", device);
}

static void adapters(void)
{
    char section[32], description[256], connection[256], device[256], status[8], path[512], value[256], guid[64];

    for (int number = 0; number < 10; number++) {
        sprintf(section, "nic%d", number);
        strcpy(connection, told(section, "NetConnectionID", number ? "" : "LAN1"));
        if (!*connection)
            continue;
        strcpy(description, told(section, "Description", "Intel(R) PRO/100 VE Network Connection"));
        strcpy(device, told(section, "PNPDeviceID", "PCI\\VEN_8086&amp;DEV_1050\\4&amp;1"));
        strcpy(status, told(section, "NetConnectionStatus", "2"));
        sprintf(section, "%d", 50 + number);
        adapter(description, section, connection, status, device);
    }
    for (int number = 0; number < 99; number++) {
        DWORD size = sizeof value;
        sprintf(path, CLASS_KEY "\\%04d", number);
        if (RegGetValueA(HKEY_LOCAL_MACHINE, path, "ComponentId", RRF_RT_REG_SZ, NULL, value, &size) ||
            (_stricmp(value, "tapdev") && _stricmp(value, "tap0801co")))
            continue;
        size = sizeof guid;
        RegGetValueA(HKEY_LOCAL_MACHINE, path, "NetCfgInstanceId", RRF_RT_REG_SZ, NULL, guid, &size);
        sprintf(path, NETWORK_KEY "\\%s\\Connection", guid);
        size = sizeof connection;
        if (!RegGetValueA(HKEY_LOCAL_MACHINE, path, "Name", RRF_RT_REG_SZ, NULL, connection, &size)) {
            sprintf(section, "%d", number);
            adapter("TAP-Win32 Adapter", section, connection, "2", "ROOT\\NET\\0000");
        }
    }
}

// Another process's command line, read where it keeps it itself.
static void command_line(DWORD pid, char *out, size_t size)
{
    static WCHAR text[1024];
    PROCESS_BASIC_INFORMATION basic = {0};
    RTL_USER_PROCESS_PARAMETERS parameters = {0};
    PEB peb = {0};
    HANDLE process = OpenProcess(PROCESS_QUERY_INFORMATION | PROCESS_VM_READ, FALSE, pid);

    memset(text, 0, sizeof text);
    *out = 0;
    if (process && !NtQueryInformationProcess(process, ProcessBasicInformation, &basic, sizeof basic, NULL) &&
        ReadProcessMemory(process, basic.PebBaseAddress, &peb, sizeof peb, NULL) &&
        ReadProcessMemory(process, peb.ProcessParameters, &parameters, sizeof parameters, NULL) &&
        parameters.CommandLine.Length < sizeof text &&
        ReadProcessMemory(process, parameters.CommandLine.Buffer, text, parameters.CommandLine.Length, NULL))
        snprintf(out, size, "%ls", text);
    CloseHandle(process);
}

static void processes(const char *asked)
{
    char name[300], line[2048], pid[16];
    PROCESSENTRY32 each = {.dwSize = sizeof each};
    HANDLE all = CreateToolhelp32Snapshot(TH32CS_SNAPPROCESS, 0);

    for (BOOL more = Process32First(all, &each); more; more = Process32Next(all, &each)) {
        snprintf(name, sizeof name, "Name='%s'", each.szExeFile);
        if (!strstr(asked, name))
            continue;
        command_line(each.th32ProcessID, line, sizeof line);
        printf("\r\r\n");
        say("CommandLine", line);
        if (strstr(asked, "CommandLine,Name"))
            say("Name", each.szExeFile);
        sprintf(pid, "%lu", each.th32ProcessID);
        say("ProcessId", pid);
    }
    CloseHandle(all);
}

int main(int argc, char **argv)
{
    char line[8192] = "", value[32];
    ULARGE_INTEGER free;

    if (introduced(argc, argv, "wmic", "tells of an old desktop that is none"))
        return 0;
    for (int index = 1; index < argc; index++)
        snprintf(line + strlen(line), sizeof line - strlen(line), "%s ", argv[index]);
    if (!strncmp(line, "os get", 6))
        system_values();
    else if (!strncmp(line, "computersystem get", 18))
        say("TotalPhysicalMemory", told("os", "TotalPhysicalMemory", "1073676288"));
    else if (!strncmp(line, "nic ", 4))
        adapters();
    else if (strstr(line, "MSNdis_PhysicalMediumType")) {
        printf("\r\r\n");
        say("InstanceName", told("nic0", "Description", "Intel(R) PRO/100 VE Network Connection"));
        say("NdisPhysicalMediumType", told("nic0", "NdisPhysicalMediumType", "0"));
    } else if (!strncmp(line, "process ", 8))
        processes(line);
    else if (!strncmp(line, "logicaldisk ", 12)) {
        GetDiskFreeSpaceExA("C:\\", &free, NULL, NULL);
        sprintf(value, "%llu", free.QuadPart);
        printf("\r\r\n");
        say("DeviceID", "C:");
        say("FileSystem", "NTFS");
        say("FreeSpace", told("os", "FreeSpace", value));
    } else {
        fprintf(stderr, "ERROR:\r\r\nDescription = Invalid query\r\r\n");
        return 1;
    }
    return 0;
}
