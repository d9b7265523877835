# SPDX-License-Identifier: MIT
# Copyright (c) the danemap authors
"""Makes a process that waits in a system call do another one, as somebody who
has broken into it would.

The process stands right behind the instruction that brought it into the
kernel: set back by its length, with other registers, it takes it once more.
Its floating point registers are left alone, which gdb cannot do, and that
fails where they are wider than it knows.
"""

import ctypes
import errno
import os
import platform
import signal
import struct

# x86_64: registers in the order of struct user_regs_struct.
REGISTERS = ("r15 r14 r13 r12 rbp rbx r11 r10 r9 r8 rax rcx rdx rsi rdi "
             "orig_rax rip cs eflags rsp ss fs_base gs_base ds es fs gs").split()
LAYOUT = "=%dQ" % len(REGISTERS)
ARGUMENTS = ("rdi", "rsi", "rdx", "r10", "r8", "r9")
SYSCALL = b"\x0f\x05"
RED_ZONE = 128

NUMBERS = {"mprotect": 10, "brk": 12, "socket": 41, "fork": 57, "execve": 59,
           "kill": 62, "getppid": 110, "openat": 257}

PTRACE_SINGLESTEP, PTRACE_DETACH = 9, 17
PTRACE_GETREGS, PTRACE_SETREGS = 12, 13
PTRACE_SEIZE, PTRACE_INTERRUPT = 0x4206, 0x4207
LIBC = ctypes.CDLL(None, use_errno=True)


def ptrace(request, pid, data=None):
    pointer = ctypes.cast(data, ctypes.c_void_p) if data else None
    done = LIBC.ptrace(request, pid, None, pointer)
    if done < 0:
        error = ctypes.get_errno()
        raise OSError(error, "ptrace %#x: %s" % (request, os.strerror(error)))


class Intruder:
    """In the process of that id, from `with` on; there it goes on as before."""

    def __init__(self, pid):
        if platform.machine() != "x86_64":
            raise NotImplementedError("registers of " + platform.machine())
        self.pid = pid
        self.memory = None
        self.before = None

    def __enter__(self):
        ptrace(PTRACE_SEIZE, self.pid)
        ptrace(PTRACE_INTERRUPT, self.pid)
        self.wait()
        self.memory = os.open("/proc/%d/mem" % self.pid, os.O_RDWR)
        self.before = self.registers()
        at = self.before["rip"] - len(SYSCALL)
        if os.pread(self.memory, len(SYSCALL), at) != SYSCALL:
            raise RuntimeError("it does not wait in a system call")
        return self

    def __exit__(self, *_):
        os.close(self.memory)
        self.set_registers(self.before)
        ptrace(PTRACE_DETACH, self.pid)

    def wait(self):
        _, status = os.waitpid(self.pid, 0)
        if not os.WIFSTOPPED(status):
            raise RuntimeError("it has died of it: status %#x" % status)
        return status

    def registers(self):
        octets = ctypes.create_string_buffer(struct.calcsize(LAYOUT))
        ptrace(PTRACE_GETREGS, self.pid, octets)
        return dict(zip(REGISTERS, struct.unpack(LAYOUT, octets.raw)))

    def set_registers(self, registers):
        octets = struct.pack(LAYOUT, *(registers[r] for r in REGISTERS))
        ptrace(PTRACE_SETREGS, self.pid, ctypes.create_string_buffer(octets))

    def put(self, text):
        """The text on its stack, ended by NUL; its address."""
        octets = os.fsencode(text) + b"\0"
        at = (self.before["rsp"] - RED_ZONE - len(octets)) & ~15
        os.pwrite(self.memory, octets, at)
        return at

    def call(self, name, *arguments):
        """What the system call returns: -errno where it is refused.  One text
        among the arguments at most."""
        registers = dict(self.before)
        registers["rip"] -= len(SYSCALL)
        registers["rax"] = NUMBERS[name]
        registers["orig_rax"] = 2**64 - 1  # nothing is to be begun again
        for register, value in zip(ARGUMENTS, arguments):
            if isinstance(value, (str, os.PathLike)):
                value = self.put(value)
            registers[register] = value % 2**64
        self.set_registers(registers)
        ptrace(PTRACE_SINGLESTEP, self.pid)
        if os.WSTOPSIG(self.wait()) != signal.SIGTRAP:
            raise RuntimeError("%s ends in another signal" % name)
        value = self.registers()["rax"]
        return value - 2**64 if value >= 2**63 else value


def refused(value):
    """Whether a system call has been kept back."""
    return value in (-errno.EPERM, -errno.EACCES)
