/* machine.h - what the tests' runner needs of a machine without an operating system. */
#pragma once

/** Show text on the emulator's debugging console. */
void machine_write(const char *text);

/** The C side of boot.S: run main, report its status as the last line, power off. */
void machine_start(void);
