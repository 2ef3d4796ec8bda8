/* SPDX-License-Identifier: MPL-2.0 */
/*
 * machine.c - as much of a C library as tests/unit/prio/kernels asks for, on bare Bochs. What it
 * asks for beyond that fails to link, here and nowhere else.
 *
 * Memory is a heap that only grows: a test program ends before it could matter. Pages that mmap
 * hands out lie in a window of 2 MiB with a page table of its own, so that a fence is a real one.
 */
#include "emulated/machine.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum {
    CONSOLE_PORT = 0xe9,    // Bochs prints what is written here
    POWER_PORT = 0x8900,    // and ends when it reads "Shutdown" here
    PAGE_BYTES = 4096,      // also the bytes of a page table
    WINDOW_PAGES = 512,     // what one page table maps
    WINDOW_AT = 1 << 30,    // the second entry of page_map_1g; no memory is there
    PRESENT_WRITABLE = 0x3, // bits of an entry
};

extern uint64_t page_map_1g[];
extern uint8_t heap[];
int main(void);

static void write_port(uint16_t port, char c)
{
    __asm__ volatile("outb %0, %1" : : "a"(c), "Nd"(port));
}

void machine_write(const char *text)
{
    for (; *text != '\0'; text++)
        write_port(CONSOLE_PORT, *text);
}

void machine_start(void)
{
    char last_line[40];
    machine_write("\n"); // the emulator leaves a line of its own unfinished
    snprintf(last_line, sizeof last_line, "# exit status %d\n", main());
    machine_write(last_line);
    for (const char *c = "Shutdown"; *c != '\0'; c++)
        write_port(POWER_PORT, *c);
}

void *memset(void *to, int value, size_t n)
{
    void *at = to;
    __asm__ volatile("rep stosb" : "+D"(at), "+c"(n) : "a"(value) : "memory");
    return to;
}

void explicit_bzero(void *to, size_t n)
{
    memset(to, 0, n);
}

void *memcpy(void *to, const void *from, size_t n)
{
    void *at = to;
    __asm__ volatile("rep movsb" : "+D"(at), "+S"(from), "+c"(n) : : "memory");
    return to;
}

int memcmp(const void *a, const void *b, size_t n)
{
    const uint8_t *x = a, *y = b;
    for (size_t i = 0; i < n; i++) {
        if (x[i] != y[i])
            return x[i] < y[i] ? -1 : 1;
    }
    return 0;
}

int strcmp(const char *a, const char *b)
{
    for (; *a != '\0' && *a == *b; a++)
        b++;
    return (uint8_t)*a - (uint8_t)*b;
}

/* The one variable of this environment comes from the build. */
char *getenv(const char *name)
{
    static char seed[] = TEST_SEED;
    return strcmp(name, "WEIR_TEST_SEED") == 0 ? seed : NULL;
}

/* For TEST_SEED: decimal digits and nothing else. */
unsigned long long strtoull(const char *text, char **end, int base)
{
    unsigned long long value = 0;
    for (; *text >= '0' && *text <= '9'; text++)
        value = 10 * value + (unsigned)(*text - '0');
    (void)end;
    (void)base;
    return value;
}

void *aligned_alloc(size_t alignment, size_t n)
{
    static size_t used;
    const uintptr_t limit = (uintptr_t)MEMORY_MIB << 20;
    const uintptr_t at = ((uintptr_t)heap + used + alignment - 1) & ~(alignment - 1);
    if (at > limit || n > limit - at)
        return NULL;
    used = at + n - (uintptr_t)heap;
    return (void *)at;
}

void free(void *p)
{
    (void)p; // the heap only grows
}

long sysconf(int name)
{
    return name == _SC_PAGESIZE ? PAGE_BYTES : -1;
}

static struct {
    uint64_t *table; // NULL until the first mmap
    uint64_t frames; // address of the memory behind the window
    size_t next, live;
} window;

static bool window_open(void)
{
    uint64_t *tables = aligned_alloc(PAGE_BYTES, 2 * PAGE_BYTES);
    const void *frames = aligned_alloc(PAGE_BYTES, (size_t)WINDOW_PAGES * PAGE_BYTES);
    if (tables == NULL || frames == NULL)
        return false;
    memset(tables, 0, 2 * PAGE_BYTES);
    window.table = tables + PAGE_BYTES / sizeof *tables;
    window.frames = (uintptr_t)frames;
    tables[0] = (uintptr_t)window.table | PRESENT_WRITABLE;
    page_map_1g[WINDOW_AT >> 30] = (uintptr_t)tables | PRESENT_WRITABLE;
    return true;
}

static void window_set(uintptr_t at, size_t n, bool present)
{
    for (size_t i = (at - WINDOW_AT) / PAGE_BYTES; n > 0; n -= PAGE_BYTES, at += PAGE_BYTES, i++) {
        window.table[i] = present ? (window.frames + i * PAGE_BYTES) | PRESENT_WRITABLE : 0;
        __asm__ volatile("invlpg (%0)" : : "r"(at) : "memory");
    }
}

void *mmap(void *where, size_t n, int protection, int flags, int file, off_t offset)
{
    (void)where;
    (void)protection;
    (void)flags;
    (void)file;
    (void)offset;
    const size_t pages = n / PAGE_BYTES;
    if ((window.table == NULL && !window_open()) || pages > WINDOW_PAGES - window.next)
        return MAP_FAILED;
    const uintptr_t at = WINDOW_AT + window.next * PAGE_BYTES;
    window_set(at, n, true);
    window.next += pages;
    window.live += pages;
    return memset((void *)at, 0, n);
}

int mprotect(void *at, size_t n, int protection)
{
    window_set((uintptr_t)at, n, protection != PROT_NONE);
    return 0;
}

/* Pages are given out anew once all of them are back. */
int munmap(void *at, size_t n)
{
    window_set((uintptr_t)at, n, false);
    window.live -= n / PAGE_BYTES;
    if (window.live == 0)
        window.next = 0;
    return 0;
}

struct text {
    char *at;
    size_t room; // for characters before the final zero
};

static void put(struct text *text, char c)
{
    if (text->room == 0)
        return;
    *text->at++ = c;
    text->room--;
}

static void put_number(struct text *text, uint64_t value, unsigned base, unsigned width)
{
    char digits[20];
    unsigned n = 0;
    do {
        digits[n++] = "0123456789abcdef"[value % base];
        value /= base;
    } while (value > 0);
    for (; width > n; width--)
        put(text, '0');
    while (n > 0)
        put(text, digits[--n]);
}

static void put_signed(struct text *text, int value)
{
    if (value < 0)
        put(text, '-');
    put_number(text, value < 0 ? -(uint64_t)value : (uint64_t)value, 10, 0);
}

/* %s, %d, and %lu, %zu, %lx with leading zeros; another conversion shows as a question mark. */
int vsnprintf(char *out, size_t size, const char *format, va_list args)
{
    struct text text = {out, size - 1};
    for (; *format != '\0'; format++) {
        if (*format != '%') {
            put(&text, *format);
            continue;
        }
        unsigned width = 0;
        for (format++; *format >= '0' && *format <= '9'; format++)
            width = 10 * width + (unsigned)(*format - '0');
        const bool wide = *format == 'l' || *format == 'z';
        format += wide;
        if (*format == 's' && !wide) {
            for (const char *s = va_arg(args, const char *); *s != '\0'; s++)
                put(&text, *s);
        } else if (*format == 'd' && !wide) {
            put_signed(&text, va_arg(args, int));
        } else if ((*format == 'u' || *format == 'x') && wide) {
            put_number(&text, va_arg(args, uint64_t), *format == 'u' ? 10 : 16, width);
        } else {
            put(&text, '?');
            break; // what follows would read the wrong argument
        }
    }
    *text.at = '\0';
    return (int)(text.at - out);
}

int snprintf(char *out, size_t size, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    const int n = vsnprintf(out, size, format, args);
    va_end(args);
    return n;
}
