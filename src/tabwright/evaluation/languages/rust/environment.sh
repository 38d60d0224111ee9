# What a compiler needs where there is no /proc: the place of what lies beside it, and its own (`exe.c`).
export LD_LIBRARY_PATH="$sysroot/lib" LD_PRELOAD="$kit/exe.so"
