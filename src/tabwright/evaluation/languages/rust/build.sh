# Build a program or a test: sh build.sh program|test KIT SYSROOT
#
# Nothing can be run in the folder of a build, so it is asked whether there is a program, not whether it can be run.
# A program is linked with one library that holds all else (`kit.sh`), in a fraction of the time that linking the
# standard library takes. Should anything not be in it, the compiler links as it usually does.
part=$1 kit=$2 sysroot=$3
. "$kit/environment.sh"

compile() {
  "$sysroot/bin/rustc" --sysroot="$sysroot" --edition=2021 -Awarnings -Cdebuginfo=0 -Cstrip=symbols -Clinker=gcc \
    -L"$kit" --extern=tabwright="$kit/libtabwright.rlib" --extern=rand="$kit/librand.rlib" \
    --extern=regex="$kit/libregex.rlib" --extern=md5="$kit/libmd5.rlib" "$@" "$part.rs"
}

if [ "$part" = test ]; then
  compile --test
  exit
fi
compile --emit=obj || exit
{ . "$kit/link.sh" && [ -s program ]; } 2>linker.txt || compile
