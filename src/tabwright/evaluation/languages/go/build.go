// Command build makes a program or a test of one file of source: its imports in order, compiled, vetted and linked.
//
// It does what `go test` does for CodeGeeX2's harness (evaluation/evaluation.py, process_test): packages are imported
// where the completion uses them, and what vet finds is an error.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
)

const language = "go1.18" // as the harness's go.mod says

// The harness's list (evaluation/utils.py, IMPORT_HELPER).
var offered = []string{
	"math", "strings", "fmt", "strconv", "time", "bytes", "regexp", "sort", "math/rand", "crypto/md5",
}

// What a test may use without naming it.
var offeredToTests = append(offered, "testing", "github.com/stretchr/testify/assert", "tabwright")

var checks = []string{
	"-atomic", "-bool", "-buildtags", "-errorsas", "-ifaceassert", "-nilfunc", "-printf", "-stringintconv",
}

var kit = filepath.Dir(os.Args[0])

func main() {
	packages := packageFiles()
	isTest, main := os.Args[1] == "test.go", mainOfProgram
	if isTest {
		main = mainOfTest
	}
	text, err := os.ReadFile(os.Args[1])
	check(err)
	// The text, the function that is asked for, and the completion by itself.
	parts := bytes.Split(text, []byte{0})
	if len(parts) != 3 {
		fail(os.Args[1] + ": invalid NUL character")
	}
	source, name, completion := string(parts[0]), string(parts[1]), string(parts[2])
	if !strings.HasPrefix(strings.TrimLeft(source, " \t\n"), "package ") {
		source = "package main; " + source
	}
	source, file, wrong := arrange(source, completion, isTest)
	check(os.WriteFile(os.Args[1], []byte(source), 0o644))
	check(os.WriteFile("main.go", []byte(main(file, name)), 0o644))
	said, failed := run("compile", "-p", "main", "-lang", language, "-complete", "-dwarf=false",
		"-importcfg", "importcfg", "-o", "main.a", os.Args[1], "main.go")
	if failed && wrong != nil {
		fail(os.Args[1] + ":" + wrong.Error())
	} else if failed {
		fail(said)
	}
	vetted := make(chan string)
	go func() { vetted <- vet(file, packages) }()
	if said, failed := run("link", "-importcfg", "importcfg", "-s", "-w", "-o", "made", "main.a"); failed {
		fail(said)
	}
	if said := <-vetted; said != "" {
		fail("vet: " + said)
	}
}

// arrange puts the imports that a file needs before it, on its first line, and returns what it declares, or what is
// wrong with it.
//
// A package that the source imports is passed over where nothing uses it. The harness's own are imported where the
// completion seems to use them, be it in a comment: as with the harness, the compiler then finds an unused import.
func arrange(source, completion string, isTest bool) (string, *ast.File, error) {
	set := token.NewFileSet()
	file, err := parser.ParseFile(set, "", source, parser.ParseComments)
	if file == nil || err != nil {
		return source, &ast.File{}, err
	}
	used := map[string]bool{}
	for _, identifier := range file.Unresolved {
		used[identifier.Name] = true
	}
	end := set.Position(file.Name.End()).Offset
	imported, lines := map[string]bool{}, ""
	for _, spec := range file.Imports {
		name, where := nameOf(spec), strings.Trim(spec.Path.Value, "\"`")
		if (used[name] || name == "_" || name == ".") && !imported[name+where] {
			lines += "; import " + source[set.Position(spec.Pos()).Offset:set.Position(spec.End()).Offset]
		}
		imported[name+where], imported[where] = true, true
	}
	for _, where := range offered {
		if !isTest && !imported[where] && strings.Contains(completion, path.Base(where)+".") {
			lines += "; import \"" + where + "\""
		}
	}
	for _, where := range offeredToTests {
		if isTest && !imported[where] && used[path.Base(where)] {
			lines += "; import \"" + where + "\""
		}
	}
	rest := []byte(source[end:])
	for _, declaration := range file.Decls {
		if group, is := declaration.(*ast.GenDecl); is && group.Tok == token.IMPORT {
			blank(rest, set.Position(group.Pos()).Offset-end, set.Position(group.End()).Offset-end)
		}
	}
	return "package main" + lines + string(rest), file, nil
}

func nameOf(spec *ast.ImportSpec) string {
	if spec.Name != nil {
		return spec.Name.Name
	}
	return path.Base(strings.Trim(spec.Path.Value, "\"`"))
}

func blank(text []byte, from, to int) {
	for i := from; i < to && i < len(text); i++ {
		if text[i] != '\n' {
			text[i] = ' '
		}
	}
}

// mainOfProgram serves before all else; a main that the program has by itself is never come to.
func mainOfProgram(file *ast.File, name string) string {
	start := "main"
	for _, declaration := range file.Decls {
		if function, is := declaration.(*ast.FuncDecl); is && function.Recv == nil && function.Name.Name == "main" {
			start = "init"
		}
	}
	return fmt.Sprintf("package main; import calls_ %q; func %s() { calls_.Serve(%s) }", "tabwright", start, name)
}

func mainOfTest(file *ast.File, _ string) string {
	tests := ""
	for _, declaration := range file.Decls {
		if function, is := declaration.(*ast.FuncDecl); is && isTest(function) {
			tests += fmt.Sprintf("{%q, %s}, ", function.Name.Name, function.Name.Name)
		}
	}
	imports := `package main; import "testing"; import verdict_ "tabwright/verdict"; `
	return imports + "func main() { verdict_.Run([]testing.InternalTest{" + tests + "}) }"
}

// isTest follows `go help testfunc`.
func isTest(function *ast.FuncDecl) bool {
	rest := strings.TrimPrefix(function.Name.Name, "Test")
	return rest != function.Name.Name && function.Recv == nil && function.Type.Params.NumFields() == 1 &&
		(rest == "" || rest[:1] != strings.ToLower(rest[:1]) || rest[0] == '_' || '0' <= rest[0] && rest[0] <= '9')
}

// packageFiles writes the compiler's list of packages for this place of the kit, and returns it.
func packageFiles() map[string]string {
	list, err := os.ReadFile(filepath.Join(kit, "packages"))
	check(err)
	files, out := map[string]string{}, strings.Builder{}
	for _, line := range strings.Fields(string(list)) {
		name, file, _ := strings.Cut(line, "=")
		if !filepath.IsAbs(file) {
			file = filepath.Join(kit, file)
		}
		files[name] = file
		out.WriteString("packagefile " + name + "=" + file + "\n")
	}
	check(os.WriteFile("importcfg", []byte(out.String()), 0o644))
	return files
}

// vet returns what `go vet` finds with the checks that `go test` makes.
func vet(file *ast.File, packages map[string]string) string {
	imports := map[string]string{}
	for where := range packages {
		imports[where] = where
	}
	settings, err := json.Marshal(map[string]any{
		"ID": "main", "Compiler": "gc", "ImportPath": "main", "GoVersion": language, "GoFiles": []string{os.Args[1]},
		"ImportMap": imports, "PackageFile": packages, "VetxOutput": "vet.out", "SucceedOnTypecheckFailure": true,
	})
	check(err)
	check(os.WriteFile("vet.cfg", settings, 0o644))
	said, failed := run("vet", append(checks, "vet.cfg")...)
	if !failed {
		return ""
	}
	return said
}

// run runs one of Go's tools and returns what it said, and whether it failed.
func run(name string, arguments ...string) (string, bool) {
	folder, err := os.ReadFile(filepath.Join(kit, "tools"))
	check(err)
	said, err := exec.Command(filepath.Join(strings.TrimSpace(string(folder)), name), arguments...).CombinedOutput()
	return string(said), err != nil
}

func check(err error) {
	if err != nil {
		fail(err.Error())
	}
}

func fail(said string) {
	fmt.Println(strings.TrimSpace(said))
	os.Exit(1)
}
