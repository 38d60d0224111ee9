# Build, once on a machine, what programs and tests are compiled and linked with: sh kit.sh
set -e
for header in imports.hpp calls.hpp; do
  g++ -std=c++11 -O0 -w -x c++-header "$header" -o "$header.gch"
done
g++ -std=c++11 -O0 -w -fPIC -shared instances.cpp -o libinstances.so

# How g++ links a program, without g++: it would start two programs for it. libcrypto, which few name, is large to read.
command=$(
  g++ '-###' -fuse-ld=gold -Wl,-z,muldefs program.o @problem@/serve.o @kit@/libinstances.so -Wl,-rpath,@kit@ -o program 2>&1 |
    sed -n 's/^ [^ ]*collect2 /ld.gold /p' | sed 's/-plugin [^ ]*//; s/"*-plugin-opt=[^ ]*//g; s/"*-fuse-ld=gold"*//' |
    sed 's/"*@\([a-z]*\)@\([^ "]*\)"*/"$\1\2"/g'
)
cat >link.sh <<END
# Link a program: sh link.sh KIT PROBLEM
kit=\$1 problem=\$2
link() {
  $command "\$@"
}
link 2>errors.txt || link -lcrypto
END
