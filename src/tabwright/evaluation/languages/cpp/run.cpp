// Runs a program, which is a library that has none of the libraries it needs: they are here, and `instances.cpp` with them.
#include <dlfcn.h>
#include <iostream>

int main(int, char** given) {
    void* program = dlopen(given[1], RTLD_NOW | RTLD_GLOBAL);
    if (!program) {
        std::cerr << dlerror() << '\n';
        return 127;
    }
    return reinterpret_cast<int (*)()>(dlsym(program, "main"))();
}
