# Build, once on a machine, the crates that programs and tests may name, and the one with which they call each other:
# sh kit.sh KIT SYSROOT
set -e
kit=$1 sysroot=$2
. "$kit/environment.sh"
export PATH="$sysroot/bin:$PATH" HOME="$PWD" CARGO_HOME="$PWD/cargo" RUSTC="$sysroot/bin/rustc"
cp "$kit/Cargo.toml" "$kit"/*.rs .
mkdir cargo
cat >cargo/config.toml <<END
[source.crates-io]
replace-with = "installed"
[source.installed]
directory = "/usr/share/cargo/registry"
END
cargo build --quiet --offline --lib
for file in target/debug/deps/*.rlib; do
  name=${file##*/}
  case $name in
    libkit-*) ;;
    *) cp "$file" "${name%-*}.rlib" ;;
  esac
done

crate() {
  name=$1 file=$2
  shift 2
  "$RUSTC" --sysroot="$sysroot" --edition=2021 --crate-name="$name" -Cdebuginfo=0 -Cstrip=debuginfo -Clinker=gcc \
    -L. "$@" "$file"
}
crate rand rand.rs --crate-type=rlib -Copt-level=1
crate tabwright lib.rs --crate-type=rlib --crate-type=dylib --extern=rand --extern=regex --extern=md5

# How gcc links a program, without gcc: it would start three programs for it.
gcc '-###' -fuse-ld=gold program.o @kit@/libtabwright.so -Wl,-rpath,@kit@ -nodefaultlibs -lc -lm -lgcc_s -s -o program 2>&1 |
  sed -n 's/^ [^ ]*collect2 /ld.gold /p' | sed 's/-plugin [^ ]*//; s/"*-plugin-opt=[^ ]*//g; s/"*-fuse-ld=gold"*//' |
  sed 's/"*@kit@\([^ "]*\)"*/"$kit\1"/g' >link.sh
