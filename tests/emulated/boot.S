/* SPDX-License-Identifier: MPL-2.0 */
/*
 * boot.S - from the reset of the CPU to C: all that this machine has instead of firmware.
 *
 * The image is the machine's ROM. A CPU starts in real mode at the sixteenth byte below 4 GiB; from
 * there it copies the program into memory, clears what must be zero, maps the first 4 GiB to
 * themselves and turns on long mode and the registers of AVX-512. There are no interrupts and no
 * handlers: whatever faults stops the machine, and the test that did it is missing from the report.
 */
    .set    ROM_BYTES, 512          // of this section, as in image.ld
    .set    CODE, 8
    .set    DATA, 16
    .set    CODE_32, 24
    .set    PRESENT_WRITABLE, 3
    .set    WHOLE_GIB, 0x83         // the same, and no further table below
    .set    CR0_PE, 1 << 0
    .set    CR0_MP, 1 << 1
    .set    CR0_EM, 1 << 2
    .set    CR0_PG, 1 << 31
    .set    CR4_PAE, 1 << 5
    .set    CR4_OSFXSR, 1 << 9
    .set    CR4_OSXMMEXCPT, 1 << 10
    .set    CR4_OSXSAVE, 1 << 18
    .set    MSR_EFER, 0xc0000080
    .set    EFER_LME, 1 << 8
    .set    XCR0_ALL, 0xe7          // x87, SSE, AVX and the three parts of AVX-512

    .section .rom, "ax"
    .globl  rom
rom:
    .code16
real:
    lgdtl   %cs:0x10000 - ROM_BYTES + (gdt_pointer - rom)  // the segment ends where the ROM does
    mov     %cr0, %eax
    or      $CR0_PE, %al
    mov     %eax, %cr0
    ljmpl   $CODE_32, $protected

    .code32
protected:
    mov     $DATA, %eax
    mov     %eax, %ds
    mov     %eax, %es
    mov     %eax, %ss
    cld
    mov     $image_in_rom, %esi
    mov     $image, %edi
    mov     $image_words, %ecx
    rep movsl
    mov     $zeros, %edi
    mov     $zeros_words, %ecx
    xor     %eax, %eax
    rep stosl

    movl    $page_map_1g + PRESENT_WRITABLE, page_map_512g
    movl    $WHOLE_GIB + 0x00000000, page_map_1g
    movl    $WHOLE_GIB + 0x40000000, page_map_1g + 8
    movl    $WHOLE_GIB + 0x80000000, page_map_1g + 16
    movl    $WHOLE_GIB + 0xc0000000, page_map_1g + 24
    mov     $page_map_512g, %eax
    mov     %eax, %cr3

    mov     %cr4, %eax
    or      $(CR4_PAE | CR4_OSFXSR | CR4_OSXMMEXCPT | CR4_OSXSAVE), %eax
    mov     %eax, %cr4
    mov     $MSR_EFER, %ecx
    rdmsr
    or      $EFER_LME, %eax
    wrmsr
    mov     %cr0, %eax
    and     $~CR0_EM, %eax
    or      $(CR0_MP | CR0_PG), %eax
    mov     %eax, %cr0
    ljmp    $CODE, $long

    .code64
long:
    xor     %ecx, %ecx
    xor     %edx, %edx
    mov     $XCR0_ALL, %eax
    xsetbv
    mov     $stack_end, %esp
    mov     $machine_start, %eax
    call    *%rax
halt:
    hlt
    jmp     halt

    .balign 8
gdt:
    .quad   0
    .quad   0x00af9a000000ffff      // CODE: 64 bits
    .quad   0x00cf92000000ffff      // DATA
    .quad   0x00cf9a000000ffff      // CODE_32
gdt_pointer:
    .word   gdt_pointer - gdt - 1
    .long   gdt

    .org    ROM_BYTES - 16
    .code16
    jmp     real
    .org    ROM_BYTES

    .bss
    .balign 4096
page_map_512g:
    .skip   4096
    .globl  page_map_1g
page_map_1g:
    .skip   4096
    .skip   1 << 18
stack_end:
