// SPDX-License-Identifier: GPL-3.0-or-later
// What brings files to a Windows desktop that has nothing for it: eyrie-files.exe, for Windows XP and up.
//
//   put PATH SHA256     standard input becomes the file, whole or not at all
//   sums FOLDER         a line for each file: its SHA-256, size in bytes and name
//
// It needs kernel32 alone: no C library, so that one program of a few KiB runs everywhere.
#include <windows.h>

#define BIG (64 << 20)
#define CHUNK 65536

enum { DONE, USAGE, CANNOT, DIFFERS, IN_USE };

typedef unsigned int u32;
typedef unsigned char u8;
struct sum {
    u32 state[8];
    unsigned long long length;
    u8 block[64];
};

static const u32 K[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5, 0xd807aa98, 0x12835b01,
    0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc,
    0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147,
    0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116, 0x1e376c08,
    0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208,
    0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

static char chunk[CHUNK], line[1024], one[MAX_PATH + 8], two[MAX_PATH + 8], words[3][MAX_PATH];

static u32 turned(u32 value, int by)
{
    return value >> by | value << (32 - by);
}

// FIPS 180-4, section 6.2.2.
static void mix(struct sum *sum)
{
    u32 w[64], s[8], one, two;
    int t;

    for (t = 0; t < 16; t++)
        w[t] = (u32)sum->block[4 * t] << 24 | sum->block[4 * t + 1] << 16 | sum->block[4 * t + 2] << 8 | sum->block[4 * t + 3];
    for (; t < 64; t++)
        w[t] = (turned(w[t - 2], 17) ^ turned(w[t - 2], 19) ^ w[t - 2] >> 10) + w[t - 7] +
               (turned(w[t - 15], 7) ^ turned(w[t - 15], 18) ^ w[t - 15] >> 3) + w[t - 16];
    for (t = 0; t < 8; t++)
        s[t] = sum->state[t];
    for (t = 0; t < 64; t++) {
        one = s[7] + (turned(s[4], 6) ^ turned(s[4], 11) ^ turned(s[4], 25)) + ((s[4] & s[5]) ^ (~s[4] & s[6])) + K[t] + w[t];
        two = (turned(s[0], 2) ^ turned(s[0], 13) ^ turned(s[0], 22)) + ((s[0] & s[1]) ^ (s[0] & s[2]) ^ (s[1] & s[2]));
        s[7] = s[6], s[6] = s[5], s[5] = s[4], s[4] = s[3] + one;
        s[3] = s[2], s[2] = s[1], s[1] = s[0], s[0] = one + two;
    }
    for (t = 0; t < 8; t++)
        sum->state[t] += s[t];
}

static void begin(struct sum *sum)
{
    static const u32 first[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
    for (int t = 0; t < 8; t++)
        sum->state[t] = first[t];
    sum->length = 0;
}

static void take(struct sum *sum, const char *data, DWORD size)
{
    for (DWORD at = 0; at < size; at++) {
        sum->block[sum->length++ & 63] = (u8)data[at];
        if (!(sum->length & 63))
            mix(sum);
    }
}

static void finish(struct sum *sum, char *hex)
{
    unsigned long long bits = sum->length * 8;
    char pad = (char)0x80, size[8];
    int t;

    take(sum, &pad, 1);
    for (pad = 0; (sum->length & 63) != 56;)
        take(sum, &pad, 1);
    for (t = 0; t < 8; t++)
        size[t] = (char)(bits >> (56 - 8 * t));
    take(sum, size, 8);
    for (t = 0; t < 64; t++)
        hex[t] = "0123456789abcdef"[sum->state[t / 8] >> (28 - 4 * (t & 7)) & 15];
    hex[64] = 0;
}

static char *append(char *to, const char *text)
{
    while ((*to = *text++))
        to++;
    return to;
}

static char *number(char *to, unsigned long long value)
{
    char digits[24];
    int at = 24;

    digits[--at] = 0;
    do { // no library, so no division of 64 bits on a processor of 32
        unsigned long long rest = 0, quotient = 0;
        for (int bit = 63; bit >= 0; bit--) {
            rest = rest << 1 | (value >> bit & 1);
            if (rest >= 10)
                rest -= 10, quotient |= 1ULL << bit;
        }
        digits[--at] = (char)('0' + rest);
        value = quotient;
    } while (value);
    return append(to, digits + at);
}

static void say(const char *text)
{
    DWORD done;
    WriteFile(GetStdHandle(STD_OUTPUT_HANDLE), text, lstrlenA(text), &done, NULL);
}

static int fail(const char *what, int code)
{
    append(number(append(append(line, what), ": "), GetLastError()), "\r\n");
    say(line);
    return code;
}

static int put(const char *path, const char *wanted)
{
    HANDLE in = GetStdHandle(STD_INPUT_HANDLE), out;
    struct sum sum;
    char hex[65];
    DWORD got, done;

    append(append(one, path), ".new");
    out = CreateFileA(one, GENERIC_WRITE, 0, NULL, CREATE_ALWAYS, FILE_ATTRIBUTE_NORMAL, NULL);
    if (out == INVALID_HANDLE_VALUE)
        return fail("cannot make the file", CANNOT);
    begin(&sum);
    while (ReadFile(in, chunk, CHUNK, &got, NULL) && got) {
        take(&sum, chunk, got);
        if (!WriteFile(out, chunk, got, &done, NULL) || done != got) {
            fail("cannot write the file", CANNOT);
            CloseHandle(out);
            DeleteFileA(one);
            return CANNOT;
        }
    }
    finish(&sum, hex);
    if (lstrcmpA(hex, wanted)) {
        CloseHandle(out);
        DeleteFileA(one);
        say("another SHA-256 arrived\r\n");
        return DIFFERS;
    }
    FlushFileBuffers(out);
    CloseHandle(out);
    if (!MoveFileExA(one, path, MOVEFILE_REPLACE_EXISTING | MOVEFILE_WRITE_THROUGH)) {
        fail("cannot replace the file", IN_USE);
        DeleteFileA(one);
        return IN_USE;
    }
    say("eyrie-put: whole\r\n");
    return DONE;
}

static void tell(const char *folder, const WIN32_FIND_DATAA *found)
{
    unsigned long long size = (unsigned long long)found->nFileSizeHigh << 32 | found->nFileSizeLow;
    struct sum sum;
    char hex[65] = "big";
    DWORD got;

    HANDLE file;

    append(append(append(one, folder), "\\"), found->cFileName);
    file = CreateFileA(one, GENERIC_READ, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, NULL, OPEN_EXISTING, 0, NULL);
    if (file == INVALID_HANDLE_VALUE)
        append(hex, "in-use");
    else if (size <= BIG) {
        begin(&sum);
        while (ReadFile(file, chunk, CHUNK, &got, NULL) && got)
            take(&sum, chunk, got);
        finish(&sum, hex);
    }
    CloseHandle(file);
    append(append(append(number(append(append(append(line, "eyrie-file "), hex), " "), size), " "), found->cFileName), "\r\n");
    say(line);
}

static int sums(const char *folder)
{
    WIN32_FIND_DATAA found;
    HANDLE search;

    append(append(two, folder), "\\*");
    search = FindFirstFileA(two, &found);
    if (search == INVALID_HANDLE_VALUE)
        return fail("cannot read the folder", CANNOT);
    do {
        if (!(found.dwFileAttributes & FILE_ATTRIBUTE_DIRECTORY))
            tell(folder, &found);
    } while (FindNextFileA(search, &found));
    FindClose(search);
    say("eyrie-file end\r\n");
    return DONE;
}

// Take the command line apart at blanks: no path of ours has one.
static int arguments(const char *text)
{
    int count = 0;
    char end = ' ';

    if (*text == '"')
        end = *text++;
    while (*text && *text != end)
        text++;
    if (*text)
        text++;
    while (*text && count < 3) {
        int at = 0;
        while (*text == ' ')
            text++;
        while (*text && *text != ' ' && at < MAX_PATH - 1)
            words[count][at++] = *text++;
        words[count][at] = 0;
        if (at)
            count++;
    }
    return count;
}

void start(void)
{
    int count = arguments(GetCommandLineA()), code = USAGE;

    if (count == 3 && !lstrcmpA(words[0], "put"))
        code = put(words[1], words[2]);
    else if (count == 2 && !lstrcmpA(words[0], "sums"))
        code = sums(words[1]);
    else
        say("eyrie-files: put PATH SHA256 | sums FOLDER\r\n");
    ExitProcess(code);
}
