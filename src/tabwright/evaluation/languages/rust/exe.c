// Older compilers ask the system for their own path, and end where there is no /proc: they are told it from here.
#include <fcntl.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

ssize_t readlink(const char *path, char *out, size_t size) {
    if (strcmp(path, "/proc/self/exe") != 0) return readlinkat(AT_FDCWD, path, out, size);
    const char *self = (const char *)getauxval(AT_EXECFN);
    size_t length = strlen(self) < size ? strlen(self) : size;
    memcpy(out, self, length);
    return (ssize_t)length;
}
