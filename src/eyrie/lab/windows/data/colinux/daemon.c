// SPDX-License-Identifier: GPL-3.0-or-later
// A stand-in of Eyrie's lab for colinux-daemon.exe: its switches, exit codes and lying service states after
// the fact sheet on 0.6.1, 0.6.4 and 0.7.9. It boots no Linux: it opens what a guest opens, starts the network's helper, which
// plays the guest, marks the image's file system as in use while it "runs", and as clean when it was shut down in order.
#include "common.h"

#define XML (NUMBER < 701)
#define FAILURE (-1)
#define MISMATCH (XML ? FAILURE : 3)
#define NO_DRIVER (XML ? FAILURE : 14)
#define MOST_GUESTS 16
#define SHUTDOWN_MS 1500

static struct config {
    char path[MAX_PATH], kernel[MAX_PATH], image[MAX_PATH], kind[32], name[128], mac[32], address[32];
} config;
static const char *service_name = "Cooperative Linux";
static SERVICE_STATUS_HANDLE handle;
static HANDLE stopping;

static void monitor_name(char *out, int number)
{
    sprintf(out, "Global\\eyrie-colinux-%d", number);
}

// How many guests run: each holds a name.
static int monitors(void)
{
    char name[64];
    int count = 0;
    for (int number = 0; number < MOST_GUESTS; number++) {
        monitor_name(name, number);
        HANDLE there = OpenMutexA(SYNCHRONIZE, FALSE, name);
        if (there) {
            count++;
            CloseHandle(there);
        }
    }
    return count;
}

static int install_driver(void)
{
    char image[MAX_PATH];
    SC_HANDLE manager = OpenSCManagerA(NULL, NULL, SC_MANAGER_ALL_ACCESS), service;

    if (state_of(DRIVER)) { // neither started nor updated, and no failure
        printf("daemon: driver already installed\n");
        return 0;
    }
    snprintf(image, sizeof image, "%slinux.sys", own_folder());
    service = CreateServiceA(manager, DRIVER, DRIVER, SERVICE_ALL_ACCESS, SERVICE_KERNEL_DRIVER, SERVICE_AUTO_START,
                             SERVICE_ERROR_NORMAL, image, NULL, NULL, NULL, NULL, NULL);
    if (!service) {
        printf("daemon: CreateService (0x%lx)\n", GetLastError());
        return FAILURE;
    }
    if (!StartServiceA(service, 0, NULL)) {
        printf("StartService (0x%lx)\n", GetLastError());
        DeleteService(service);
        CloseServiceHandle(service);
        return FAILURE;
    }
    printf("daemon: driver installed\n");
    return 0;
}

static int remove_driver(void)
{
    SERVICE_STATUS status;
    SC_HANDLE manager = OpenSCManagerA(NULL, NULL, SC_MANAGER_ALL_ACCESS);
    SC_HANDLE service = OpenServiceA(manager, DRIVER, SERVICE_ALL_ACCESS);

    if (!service) {
        printf("daemon: driver not installed\n");
        return NUMBER == 601 ? 0 : NO_DRIVER;
    }
    if (monitors()) {
        printf("daemon: monitors are running, won't remove driver\n");
        return FAILURE;
    }
    ControlService(service, SERVICE_CONTROL_STOP, &status);
    if (!DeleteService(service)) {
        printf("daemon: DeleteService (0x%lx)\n", GetLastError());
        return FAILURE;
    }
    CloseServiceHandle(service);
    printf("daemon: driver removed\n");
    return 0;
}

static int status_driver(void)
{
    if (state_of(DRIVER) != SERVICE_RUNNING) {
        printf("daemon: driver is not available\n");
        return NUMBER == 601 ? 0 : NO_DRIVER;
    }
    printf(NUMBER == 601 ? "current number of monitors: %x\n" : "current number of monitors: %d\n", monitors());
    return 0;
}

// Copy what follows `mark` up to one of `ends`; nothing where it is not there.
static void pick(const char *text, const char *mark, const char *ends, char *out, size_t size)
{
    const char *from = strstr(text, mark);
    *out = 0;
    if (from) {
        size_t length;
        from += strlen(mark);
        length = strcspn(from, ends);
        snprintf(out, size, "%.*s", (int)(length < size ? length : size - 1), from);
    }
}

// Read what matters here of the guest's configuration.
static int read_config(void)
{
    static char text[65536];
    const char *network, *part;
    FILE *file = fopen(config.path, "rb");
    size_t length;

    if (!file) {
        printf("daemon: error opening configuration %s\n", config.path);
        return FAILURE;
    }
    length = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    text[XML && length ? length - 1 : length] = 0; // the XML loader writes over the last byte
    if (XML) {
        pick(text, "image path=\"", "\"", config.kernel, sizeof config.kernel);
        part = strstr(text, "block_device");
        pick(part ? part : "", "path=\"", "\"", config.image, sizeof config.image);
        network = strstr(text, "<network");
        pick(network ? network : "", "type=\"", "\"", config.kind, sizeof config.kind);
        pick(network ? network : "", "name=\"", "\"", config.name, sizeof config.name);
        pick(network ? network : "", "mac=\"", "\"", config.mac, sizeof config.mac);
    } else {
        pick(text, "kernel=", " \r\n", config.kernel, sizeof config.kernel);
        pick(text, "cobd0=", " \r\n", config.image, sizeof config.image);
        pick(text, "eth0=", ",", config.kind, sizeof config.kind);
        network = strstr(text, "eth0=");
        part = network ? strchr(network, ',') : NULL;
        if (part && part[1] == '"')
            pick(part, ",\"", "\"", config.name, sizeof config.name);
        else
            pick(part ? part : "", ",", ",", config.name, sizeof config.name);
    }
    pick(text, "eyrie_address=", "/ \"\r\n", config.address, sizeof config.address);
    if (!*config.kernel) {
        printf("daemon: no kernel in %s\n", config.path);
        return FAILURE;
    }
    return 0;
}

static int install_service(void)
{
    static const DWORD restart[] = {SC_ACTION_RESTART, 1000, SC_ACTION_RESTART, 1000, SC_ACTION_NONE, 0};
    char self[MAX_PATH], line[1024], needs[64] = DRIVER "\0";
    SC_HANDLE manager = OpenSCManagerA(NULL, NULL, SC_MANAGER_ALL_ACCESS), service;

    if (!*config.path) {
        printf("daemon: config not specified\n");
        return FAILURE;
    }
    if (!XML && read_config()) // 0.6.x looks at it when it starts
        return FAILURE;
    GetModuleFileNameA(NULL, self, sizeof self);
    if (XML)
        snprintf(line, sizeof line, "\"%s\" --run-service \"%s\" -d -c \"%s\"", self, service_name, config.path);
    else // the quotes are lost
        snprintf(line, sizeof line, "%s @%s -d --run-service %s", self, config.path, service_name);
    if (!XML && !strcmp(config.kind, "pcap-bridge"))
        memcpy(needs, DRIVER "\0NPF\0", sizeof DRIVER "\0NPF\0");
    if (!XML && !strcmp(config.kind, "tuntap"))
        memcpy(needs, DRIVER "\0tap0801co\0", sizeof DRIVER "\0tap0801co\0");
    service = CreateServiceA(manager, service_name, service_name, SERVICE_ALL_ACCESS, SERVICE_WIN32_OWN_PROCESS,
                             SERVICE_DEMAND_START, SERVICE_ERROR_NORMAL, line, NULL, NULL, needs,
                             NUMBER == 601 ? "NT AUTHORITY\\NetworkService" : NULL, NULL);
    if (!service) {
        printf("daemon: CreateService (0x%lx)\n", GetLastError());
        return FAILURE;
    }
    record_recovery(service_name, 90, 3, restart);
    printf("daemon: service installed\n");
    return 0;
}

static int remove_service(void)
{
    SC_HANDLE manager = OpenSCManagerA(NULL, NULL, SC_MANAGER_ALL_ACCESS);
    SC_HANDLE service = OpenServiceA(manager, service_name, SERVICE_ALL_ACCESS);

    if (!service || !DeleteService(service)) {
        printf("daemon: removing service %s failed (0x%lx)\n", service_name, GetLastError());
        return FAILURE;
    }
    CloseServiceHandle(service);
    printf("daemon: service removed\n");
    return 0;
}

// Mark the file system as mounted (0) or clean (1): ext2's s_state.
static void mark(HANDLE image, short state)
{
    DWORD done;
    SetFilePointer(image, 1024 + 0x3a, NULL, FILE_BEGIN);
    WriteFile(image, &state, sizeof state, &done, NULL);
    FlushFileBuffers(image);
}

static int is_kernel_of_release(void)
{
    static char text[1 << 20];
    FILE *file = fopen(config.kernel, "rb");
    size_t length, at, size = strlen("-co-" RELEASE);

    if (!file)
        return 0;
    length = fread(text, 1, sizeof text, file);
    fclose(file);
    for (at = 0; at + size <= length; at++)
        if (!memcmp(text + at, "-co-" RELEASE, size))
            return !memcmp(text, "\177ELF", 4);
    return 0;
}

static HANDLE start_helper(HANDLE job)
{
    char line[1024];
    const char *program = "colinux-bridged-net-daemon.exe";
    STARTUPINFOA start = {.cb = sizeof start};
    PROCESS_INFORMATION child;

    if (!strcmp(config.kind, "tap") || !strcmp(config.kind, "tuntap"))
        program = "colinux-net-daemon.exe";
    else if (!strcmp(config.kind, "slirp"))
        program = "colinux-slirp-net-daemon.exe";
    else if (!strcmp(config.kind, "ndis-bridge"))
        program = "colinux-ndis-net-daemon.exe";
    snprintf(line, sizeof line, "%s%s -n \"%s\" -mac %s -guest %s -daemon %lu", own_folder(), program, config.name,
             *config.mac ? config.mac : "none", *config.address ? config.address : "none", GetCurrentProcessId());
    if (!CreateProcessA(NULL, line, NULL, NULL, FALSE, CREATE_NO_WINDOW | CREATE_SUSPENDED, NULL, NULL, &start, &child))
        return NULL; // a warning on a console that nobody sees
    AssignProcessToJobObject(job, child.hProcess);
    ResumeThread(child.hThread);
    CloseHandle(child.hThread);
    return child.hProcess;
}

static HANDLE new_job(void)
{
    JOBOBJECT_EXTENDED_LIMIT_INFORMATION limits = {0};
    HANDLE job = CreateJobObjectA(NULL, NULL);
    limits.BasicLimitInformation.LimitFlags = JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE;
    SetInformationJobObject(job, JobObjectExtendedLimitInformation, &limits, sizeof limits);
    return job;
}

// "Run" the guest until it is told to end; returns the daemon's exit code.
static int run_guest(void)
{
    char name[64], *image = config.image;
    unsigned char magic[2] = {0};
    DWORD done;
    HANDLE disk, job, helper, monitor = NULL, off;
    int number;

    SetCurrentDirectoryA(own_folder());
    if (read_config())
        return FAILURE;
    if (state_of(DRIVER) != SERVICE_RUNNING)
        return NO_DRIVER;
    if (!is_kernel_of_release()) {
        printf("daemon: expected kernel API version of " RELEASE "\n");
        return MISMATCH;
    }
    if (!strncmp(image, "\\DosDevices\\", 12))
        image += 12;
    // With no sharing: nobody reads, copies or hashes an image that is in use.
    disk = CreateFileA(image, GENERIC_READ | GENERIC_WRITE, 0, NULL, OPEN_EXISTING, 0, NULL);
    SetFilePointer(disk, 1024 + 0x38, NULL, FILE_BEGIN);
    if (disk == INVALID_HANDLE_VALUE || !ReadFile(disk, magic, 2, &done, NULL) || magic[0] != 0x53 || magic[1] != 0xef)
        return XML ? FAILURE : 0; // VFS: Unable to mount root fs: a panic, which 0.7.9 calls success
    for (number = 0; number < MOST_GUESTS; number++) {
        monitor_name(name, number);
        monitor = CreateMutexA(NULL, TRUE, name);
        if (GetLastError() != ERROR_ALREADY_EXISTS)
            break;
        CloseHandle(monitor);
    }
    sprintf(name, "Global\\eyrie-colinux-off-%lu", GetCurrentProcessId());
    off = CreateEventA(NULL, TRUE, FALSE, name);
    mark(disk, 0);
    job = new_job();
    helper = start_helper(job);
    HANDLE ends[] = {stopping, off};
    WaitForMultipleObjects(2, ends, FALSE, INFINITE);
    Sleep(SHUTDOWN_MS); // init ends its services
    mark(disk, 1);
    CloseHandle(disk);
    if (helper)
        TerminateProcess(helper, 0);
    CloseHandle(job);
    CloseHandle(monitor);
    return 0;
}

static void tell(DWORD state)
{
    SERVICE_STATUS status = {SERVICE_WIN32_OWN_PROCESS, state, 0, 0, 0, 0, 0}; // success, and no wait hint, whatever happened
    if (state == SERVICE_RUNNING) // 0.6.3 and later are told of Windows' end
        status.dwControlsAccepted = SERVICE_ACCEPT_STOP | (NUMBER >= 603 ? SERVICE_ACCEPT_SHUTDOWN : 0);
    SetServiceStatus(handle, &status);
}

static DWORD WINAPI control(DWORD what, DWORD type, void *data, void *context)
{
    (void)type, (void)data, (void)context;
    if (what == SERVICE_CONTROL_STOP || what == SERVICE_CONTROL_SHUTDOWN) {
        tell(SERVICE_STOP_PENDING);
        SetEvent(stopping);
    }
    return NO_ERROR;
}

static void WINAPI serve(DWORD argc, char **argv)
{
    (void)argc, (void)argv;
    handle = RegisterServiceCtrlHandlerExA(service_name, control, NULL);
    tell(SERVICE_RUNNING); // before anything was opened
    run_guest();
    tell(SERVICE_STOPPED);
}

int main(int argc, char **argv)
{
    const char *verb = "";
    int index;

    if (introduced(argc, argv, "colinux-daemon " RELEASE, "boots no Linux"))
        return 0;
    stopping = CreateEventA(NULL, TRUE, FALSE, NULL);
    for (index = 1; index < argc; index++) {
        const char *word = argv[index];
        if (XML && !strcmp(word, "-c") && index + 1 < argc)
            snprintf(config.path, sizeof config.path, "%s", argv[++index]);
        else if (!XML && *word == '@')
            snprintf(config.path, sizeof config.path, "%s", word + 1);
        else if (!strncmp(word, "--", 2)) {
            verb = word;
            if (strstr(word, "-service") && index + 1 < argc && argv[index + 1][0] != '-' && argv[index + 1][0] != '@')
                service_name = argv[++index];
        } else if (!strcmp(word, "-h"))
            return FAILURE;
        else if (strcmp(word, "-d") && strcmp(word, "-k")) {
            printf("daemon: %s is not known\n", word);
            return FAILURE;
        }
    }
    if (!strcmp(verb, "--install-driver"))
        return install_driver();
    if (!strcmp(verb, "--remove-driver"))
        return remove_driver();
    if (!strcmp(verb, "--status-driver"))
        return status_driver();
    if (!strcmp(verb, "--install-service"))
        return install_service();
    if (!strcmp(verb, "--remove-service"))
        return remove_service();
    if (!strcmp(verb, "--run-service")) {
        SERVICE_TABLE_ENTRYA table[] = {{(char *)service_name, serve}, {NULL, NULL}};
        return StartServiceCtrlDispatcherA(table) ? 0 : FAILURE;
    }
    if (*verb || !*config.path) {
        printf("daemon: config not specified\n");
        return FAILURE;
    }
    return run_guest();
}
