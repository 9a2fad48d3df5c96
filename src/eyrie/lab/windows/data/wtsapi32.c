// SPDX-License-Identifier: GPL-3.0-or-later
// A stand-in of Eyrie's lab for wtsapi32.dll: Wine knows no sessions, so they are read, at each call, from a script:
//     C:\windows\eyrie-lab\sessions      lines of: ID STATE USER LOCK PLACE, such as `1 active owner unlocked console`
// STATE active, connected or disconnected; USER - where nobody is logged in; LOCK locked or unlocked; PLACE console
// or rdp. As on Windows there are besides session 0, of the services, and the listener for RDP.
#define _WIN32_WINNT 0x0a00
#include <stdio.h>
#include <string.h>
#include <windows.h>
#include <wtsapi32.h>

#define SCRIPT L"C:\\windows\\eyrie-lab\\sessions"
#define MOST 32
#define LISTENER 65536
#define WATCH_MS 200

typedef struct {
    DWORD id;
    WTS_CONNECTSTATE_CLASS state;
    wchar_t user[21];
    BOOL locked, remote;
} session;

static FILETIME changed;

static WTS_CONNECTSTATE_CLASS state_of(const char *word)
{
    return !strcmp(word, "active") ? WTSActive : !strcmp(word, "connected") ? WTSConnected : WTSDisconnected;
}

static int read_script(session *found)
{
    char text[4096], state[16], user[21], lock[12], place[12];
    DWORD size = 0, id;
    int count = 1, used;
    const char *at = text;
    HANDLE file;

    memset(found, 0, MOST * sizeof *found);
    found[0].state = WTSDisconnected; // the services'
    GetSystemTimeAsFileTime(&changed);
    file = CreateFileW(SCRIPT, GENERIC_READ, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, NULL,
                       OPEN_EXISTING, 0, NULL);
    if (file != INVALID_HANDLE_VALUE) {
        ReadFile(file, text, sizeof text - 1, &size, NULL);
        GetFileTime(file, NULL, NULL, &changed);
        CloseHandle(file);
    } else {
        size = sprintf(text, "1 active owner unlocked console\n");
    }
    text[size] = 0;
    while (count < MOST - 1 && sscanf(at, "%lu %15s %20s %11s %11s%n", &id, state, user, lock, place, &used) == 5) {
        session *one = &found[count++];
        one->id = id;
        one->state = state_of(state);
        if (strcmp(user, "-"))
            MultiByteToWideChar(CP_UTF8, 0, user, -1, one->user, 21);
        one->locked = !strcmp(lock, "locked");
        one->remote = !strcmp(place, "rdp");
        at += used;
    }
    found[count].id = LISTENER;
    found[count].state = WTSListen;
    return count + 1;
}

static void station(const session *one, wchar_t *name)
{
    if (one->id == 0)
        wcscpy(name, L"Services");
    else if (one->id == LISTENER)
        wcscpy(name, L"RDP-Tcp");
    else if (one->state == WTSDisconnected)
        *name = 0;
    else if (one->remote)
        swprintf(name, 32, L"RDP-Tcp#%lu", one->id);
    else
        wcscpy(name, L"Console");
}

static BOOL find(DWORD id, session *one)
{
    session all[MOST];
    int count = read_script(all);

    if (id == WTS_CURRENT_SESSION)
        id = 1; // Wine's services, too, live there
    while (count--)
        if (all[count].id == id) {
            *one = all[count];
            return TRUE;
        }
    SetLastError(ERROR_FILE_NOT_FOUND);
    return FALSE;
}

static void domain(const session *one, wchar_t *name)
{
    DWORD size = 16;

    *name = 0;
    if (*one->user)
        GetComputerNameW(name, &size);
}

static void times(const session *one, LARGE_INTEGER *now, LARGE_INTEGER *input, LARGE_INTEGER *gone)
{
    LASTINPUTINFO last = {sizeof last, 0};
    FILETIME time;

    GetSystemTimeAsFileTime(&time);
    now->u.LowPart = time.dwLowDateTime;
    now->u.HighPart = time.dwHighDateTime;
    if (one->state == WTSDisconnected) {
        gone->u.LowPart = changed.dwLowDateTime;
        gone->u.HighPart = changed.dwHighDateTime;
    } else if (GetLastInputInfo(&last)) {
        input->QuadPart = now->QuadPart - (LONGLONG)(GetTickCount() - last.dwTime) * 10000;
    }
}

static BOOL give(const void *data, DWORD size, LPWSTR *buffer, DWORD *bytes)
{
    *buffer = LocalAlloc(LPTR, size);
    if (!*buffer)
        return FALSE;
    memcpy(*buffer, data, size);
    *bytes = size;
    return TRUE;
}

static BOOL give_text(const wchar_t *text, LPWSTR *buffer, DWORD *bytes)
{
    return give(text, (wcslen(text) + 1) * sizeof *text, buffer, bytes);
}

BOOL WINAPI WTSEnumerateSessionsW(HANDLE server, DWORD reserved, DWORD version, PWTS_SESSION_INFOW *info, DWORD *count)
{
    session all[MOST];
    wchar_t *names;
    int index, found = read_script(all);

    if (server || reserved || version != 1) {
        SetLastError(ERROR_INVALID_PARAMETER);
        return FALSE;
    }
    *info = LocalAlloc(LPTR, found * (sizeof **info + 33 * sizeof *names));
    if (!*info)
        return FALSE;
    names = (wchar_t *)(*info + found);
    for (index = 0; index < found; index++, names += 33) {
        station(&all[index], names);
        (*info)[index] = (WTS_SESSION_INFOW){all[index].id, names, all[index].state};
    }
    *count = found;
    return TRUE;
}

BOOL WINAPI WTSQuerySessionInformationW(HANDLE server, DWORD id, WTS_INFO_CLASS class, LPWSTR *buffer, DWORD *bytes)
{
    session one;
    wchar_t text[33] = L"";
    WTSINFOW info = {0};
    WTSINFOEXW more = {.Level = 1};
    WTSINFOEX_LEVEL1_W *level = &more.Data.WTSInfoExLevel1;
    BYTE flag;
    USHORT protocol;

    if (server || !find(id, &one))
        return FALSE;
    switch ((int)class) {
    case WTSUserName:
        return give_text(one.user, buffer, bytes);
    case WTSDomainName:
        domain(&one, text);
        return give_text(text, buffer, bytes);
    case WTSWinStationName:
        station(&one, text);
        return give_text(text, buffer, bytes);
    case WTSSessionId:
        return give(&one.id, sizeof one.id, buffer, bytes);
    case WTSConnectState:
        return give(&one.state, sizeof one.state, buffer, bytes);
    case WTSClientProtocolType:
        protocol = one.remote ? 2 : 0;
        return give(&protocol, sizeof protocol, buffer, bytes);
    case WTSIsRemoteSession:
        flag = one.remote && one.state != WTSDisconnected;
        return give(&flag, sizeof flag, buffer, bytes);
    case WTSSessionInfo:
        info.State = one.state;
        info.SessionId = one.id;
        station(&one, info.WinStationName);
        domain(&one, info.Domain);
        wcscpy(info.UserName, one.user);
        times(&one, &info.CurrentTime, &info.LastInputTime, &info.DisconnectTime);
        return give(&info, sizeof info, buffer, bytes);
    case WTSSessionInfoEx:
        level->SessionId = one.id;
        level->SessionState = one.state;
        level->SessionFlags = !*one.user ? WTS_SESSIONSTATE_UNKNOWN
                              : one.locked ? WTS_SESSIONSTATE_LOCK
                                           : WTS_SESSIONSTATE_UNLOCK;
        station(&one, level->WinStationName);
        domain(&one, level->DomainName);
        wcscpy(level->UserName, one.user);
        times(&one, &level->CurrentTime, &level->LastInputTime, &level->DisconnectTime);
        return give(&more, sizeof more, buffer, bytes);
    }
    SetLastError(ERROR_NOT_SUPPORTED); // as WTSIdleTime is on Windows
    return FALSE;
}

void WINAPI WTSFreeMemory(PVOID memory)
{
    LocalFree(memory);
}

BOOL WINAPI WTSQueryUserToken(ULONG id, PHANDLE token)
{
    session one;
    HANDLE own;
    BOOL done;

    if (!find(id, &one))
        return FALSE;
    if (!*one.user) {
        SetLastError(ERROR_NO_TOKEN);
        return FALSE;
    }
    if (!OpenProcessToken(GetCurrentProcess(), TOKEN_ALL_ACCESS, &own))
        return FALSE;
    done = DuplicateTokenEx(own, TOKEN_ALL_ACCESS, NULL, SecurityImpersonation, TokenPrimary, token);
    CloseHandle(own);
    return done;
}

static void tell(HWND window, const session *was, const session *is)
{
    if (!*was->user && *is->user)
        PostMessageW(window, WM_WTSSESSION_CHANGE, WTS_SESSION_LOGON, is->id);
    if (was->state != WTSActive && is->state == WTSActive)
        PostMessageW(window, WM_WTSSESSION_CHANGE, is->remote ? WTS_REMOTE_CONNECT : WTS_CONSOLE_CONNECT, is->id);
    if (was->locked != is->locked)
        PostMessageW(window, WM_WTSSESSION_CHANGE, is->locked ? WTS_SESSION_LOCK : WTS_SESSION_UNLOCK, is->id);
    if (was->state == WTSActive && is->state != WTSActive)
        PostMessageW(window, WM_WTSSESSION_CHANGE, was->remote ? WTS_REMOTE_DISCONNECT : WTS_CONSOLE_DISCONNECT,
                     is->id);
    if (*was->user && !*is->user)
        PostMessageW(window, WM_WTSSESSION_CHANGE, WTS_SESSION_LOGOFF, is->id);
}

static session *by_id(session *all, int count, DWORD id, session *none)
{
    memset(none, 0, sizeof *none);
    none->id = id;
    none->state = WTSDisconnected;
    while (count--)
        if (all[count].id == id)
            return &all[count];
    return none;
}

// Windows' messages come from its session manager; these from comparing the script with what it said before.
static DWORD WINAPI watch(void *window)
{
    session was[MOST], is[MOST], none;
    int before = read_script(was), now, index;

    while (IsWindow(window)) {
        Sleep(WATCH_MS);
        now = read_script(is);
        for (index = 0; index < now; index++)
            tell(window, by_id(was, before, is[index].id, &none), &is[index]);
        for (index = 0; index < before; index++)
            if (by_id(is, now, was[index].id, &none) == &none)
                tell(window, &was[index], &none);
        memcpy(was, is, sizeof was);
        before = now;
    }
    return 0;
}

BOOL WINAPI WTSRegisterSessionNotification(HWND window, DWORD flags)
{
    HANDLE thread;

    if (!IsWindow(window) || flags > NOTIFY_FOR_ALL_SESSIONS) {
        SetLastError(ERROR_INVALID_PARAMETER);
        return FALSE;
    }
    thread = CreateThread(NULL, 0, watch, window, 0, NULL);
    if (thread)
        CloseHandle(thread);
    return thread != NULL;
}

BOOL WINAPI WTSUnRegisterSessionNotification(HWND window)
{
    return IsWindow(window); // the watch ends with the window
}
