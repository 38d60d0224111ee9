# Build, once on a machine, the packages of a test, those of a call, and the command that builds programs.
set -e
export PATH="$1/bin:$PATH" HOME="$PWD" GOROOT="$1" GOCACHE="$PWD/cache" GOPATH=/usr/share/gocode GO111MODULE=off
export GOPROXY=off GOTOOLCHAIN=local GOFLAGS= CGO_ENABLED=0
mkdir -p .config/go/telemetry
echo off >.config/go/telemetry/mode
tools=$(go env GOTOOLDIR)
echo "$tools" >tools

# What older releases ship compiled is used where it lies; the rest is in the cache. Of the standard library it is what
# functions may need, and what that needs, and what `build.go` does.
go list std | grep -v -E '(^|/)internal(/|$)|^(archive|compress|database|debug|embed|expvar|go|image|index|mime|net)(/|$)' |
  grep -v -E '^(plugin|runtime|testing|vendor)(/|$)' >wanted
[ -f "$1/pkg/$(go env GOOS)_$(go env GOARCH)/fmt.a" ] || flags=-gcflags=all=-dwarf=false
go list -export -deps $flags -f '{{if .Export}}{{.ImportPath}}={{.Export}}{{end}}' $(cat wanted) go/parser \
  testing testing/internal/testdeps github.com/stretchr/testify/assert github.com/stretchr/testify/require >listed
while IFS='=' read -r name file; do
  case $file in
    "$GOCACHE"/*)
      kept=$(echo "$name" | tr / _).a
      mv "$file" "$kept"
      echo "$name=$kept" ;;
    *) echo "$name=$file" ;;
  esac
done <listed >packages

build() {
  package=$1 kept=$2
  shift 2
  sed 's/^/packagefile /' packages >importcfg
  "$tools/compile" -p "$package" -lang go1.18 -complete -importcfg importcfg -o "$kept" "$@"
  echo "$package=$kept" >>packages
}
build tabwright tabwright.a calls.go types.go values.go
build tabwright/verdict tabwright_verdict.a verdict.go
build main main.a build.go
"$tools/link" -importcfg importcfg -s -w -o build main.a
grep -v '^main=' packages >packages.new
mv packages.new packages
rm main.a
