// SPDX-License-Identifier: GPL-3.0-or-later
// A stand-in of Eyrie's lab for sc.exe: `query`, `config`, `failure` and `stop`, of which Wine's own knows too little, asked of
// the real service manager. All else is handed to Wine's own, which lies beside desktop.ini.
#include "common.h"

static int failed(const char *call)
{
    DWORD error = GetLastError();
    printf("[SC] %s FAILED %lu:\n\n", call, error);
    return (int)error;
}

static const char *word(DWORD state)
{
    static const char *const words[] = {"",        "STOPPED",          "START_PENDING",  "STOP_PENDING",
                                        "RUNNING", "CONTINUE_PENDING", "PAUSE_PENDING ", "PAUSED"};
    return words[state & 7];
}

static int query(SC_HANDLE service, const char *name)
{
    SERVICE_STATUS status;
    if (!QueryServiceStatus(service, &status))
        return failed("QueryServiceStatus");
    printf("\nSERVICE_NAME: %s\n", name);
    printf("        TYPE               : %lx  %s\n", status.dwServiceType,
           status.dwServiceType == 1 ? "KERNEL_DRIVER" : "WIN32_OWN_PROCESS");
    printf("        STATE              : %lx  %s\n", status.dwCurrentState, word(status.dwCurrentState));
    printf("        WIN32_EXIT_CODE    : %lu  (0x%lx)\n", status.dwWin32ExitCode, status.dwWin32ExitCode);
    return 0;
}

static int stop(SC_HANDLE service, const char *name)
{
    SERVICE_STATUS status;
    return ControlService(service, SERVICE_CONTROL_STOP, &status) ? query(service, name) : failed("ControlService");
}

static int config(SC_HANDLE service, int argc, char **argv)
{
    DWORD start = SERVICE_NO_CHANGE;
    const char *account = NULL;

    for (int index = 3; index + 1 < argc; index += 2) {
        const char *value = argv[index + 1];
        if (!strcmp(argv[index], "start="))
            start = !strcmp(value, "auto") ? SERVICE_AUTO_START : !strcmp(value, "demand") ? SERVICE_DEMAND_START : 99;
        else if (!strcmp(argv[index], "obj="))
            account = value;
        else
            start = 99;
    }
    if (start == 99) {
        printf("sc: a start= or obj= that this stand-in does not know\n");
        return 1639;
    }
    if (!ChangeServiceConfigA(service, SERVICE_NO_CHANGE, start, SERVICE_NO_CHANGE, NULL, NULL, NULL, NULL, account, NULL, NULL))
        return failed("ChangeServiceConfig");
    printf("[SC] ChangeServiceConfig SUCCESS\n");
    return 0;
}

static int failure(const char *name, int argc, char **argv)
{
    DWORD window = 0, count = 0, actions[32];

    for (int index = 3; index + 1 < argc; index += 2) {
        if (!strcmp(argv[index], "reset="))
            window = atoi(argv[index + 1]);
        if (!strcmp(argv[index], "actions="))
            for (char *part = strtok(argv[index + 1], "/"); part && count < 16; part = strtok(NULL, "/")) {
                char *delay = strtok(NULL, "/");
                actions[2 * count] = !strcmp(part, "restart") ? SC_ACTION_RESTART : SC_ACTION_NONE;
                actions[2 * count++ + 1] = delay ? atoi(delay) : 0;
            }
    }
    record_recovery(name, window, count, actions);
    printf("[SC] ChangeServiceConfig2 SUCCESS\n");
    return 0;
}

static int hand_over(void)
{
    static char line[8192];
    const char *rest = GetCommandLineA();
    STARTUPINFOA start = {.cb = sizeof start};
    PROCESS_INFORMATION child;
    DWORD code = 1;

    rest += *rest == '"' ? strcspn(rest + 1, "\"") + 2 : strcspn(rest, " ");
    snprintf(line, sizeof line, "C:\\windows\\eyrie-lab\\sc.exe%s", rest);
    if (CreateProcessA(NULL, line, NULL, NULL, TRUE, 0, NULL, NULL, &start, &child)) {
        WaitForSingleObject(child.hProcess, INFINITE);
        GetExitCodeProcess(child.hProcess, &code);
    }
    return (int)code;
}

int main(int argc, char **argv)
{
    SC_HANDLE service;
    const char *verb;

    if (introduced(argc, argv, "sc", "asks Wine's service manager and answers as Windows does"))
        return 0;
    verb = argc > 2 ? argv[1] : "";
    if (strcmp(verb, "query") && strcmp(verb, "config") && strcmp(verb, "failure") && strcmp(verb, "stop"))
        return hand_over();
    service = OpenServiceA(OpenSCManagerA(NULL, NULL, SC_MANAGER_CONNECT), argv[2],
                           strcmp(verb, "query") ? SERVICE_ALL_ACCESS : SERVICE_QUERY_STATUS);
    if (!service)
        return failed(strcmp(verb, "query") ? "OpenService" : "EnumQueryServicesStatus:OpenService");
    if (!strcmp(verb, "stop"))
        return stop(service, argv[2]);
    if (!strcmp(verb, "query"))
        return query(service, argv[2]);
    return strcmp(verb, "config") ? failure(argv[2], argc, argv) : config(service, argc, argv);
}
