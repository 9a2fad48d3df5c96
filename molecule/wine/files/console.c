/* SPDX-License-Identifier: GPL-3.0-or-later
 * A Windows console program: tells its arguments, copies what it is given, writes a file, ends as it is told.
 * usage: console CODE FILE [ARGS...] */
#include <fcntl.h>
#include <io.h>
#include <stdio.h>
#include <stdlib.h>
#include <windows.h>

int main(int argc, char **argv)
{
    char line[4096];
    FILE *file;
    int number;

    if (argc < 3) {
        fprintf(stderr, "usage: console CODE FILE [ARGS...]\n");
        return 2;
    }
    /* Bytes as they are, not Windows' line ends. */
    _setmode(0, _O_BINARY);
    _setmode(1, _O_BINARY);
    for (number = 3; number < argc; number++)
        printf("argument %s\n", argv[number]);
    while (fgets(line, sizeof line, stdin))
        printf("read %s", line);
    fprintf(stderr, "complaint\n");
    file = fopen(argv[2], "wb");
    if (!file)
        return 3;
    fprintf(file, "written by process %lu\n", GetCurrentProcessId());
    fclose(file);
    return (int)strtoul(argv[1], NULL, 0);
}
