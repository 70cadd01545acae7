package layering

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestOneDisk wants the packages that write into study folders to call the operating
// system through internal/disk alone, so that tests can make every call fail.
func TestOneDisk(t *testing.T) {
	calls := []string{
		"Open", "OpenFile", "Create", "CreateTemp", "ReadFile", "WriteFile", "ReadDir", "Stat", "Lstat",
		"Rename", "Link", "Symlink", "Mkdir", "MkdirAll", "MkdirTemp", "Remove", "RemoveAll", "Truncate", "Chmod", "Chtimes",
	}
	for _, folder := range []string{"runfolder", "internal/read/survey", "internal/read/analyze", "internal/show/report", "internal/read/proof", "internal/execute/sweep", "internal/execute/slurm"} {
		files, err := filepath.Glob(filepath.Join("../..", folder, "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		if len(files) == 0 {
			t.Errorf("%s: got no Go files, want the folder of a package", folder)
		}
		for _, path := range files {
			if strings.HasSuffix(path, "_test.go") {
				continue
			}
			set := token.NewFileSet()
			file, err := parser.ParseFile(set, path, nil, 0)
			if err != nil {
				t.Fatal(err)
			}
			ast.Inspect(file, func(n ast.Node) bool {
				if call, ok := n.(*ast.SelectorExpr); ok {
					if name, ok := call.X.(*ast.Ident); ok && name.Name == "os" && slices.Contains(calls, call.Sel.Name) {
						t.Errorf("%s: got os.%s, want the call of internal/disk", set.Position(n.Pos()), call.Sel.Name)
					}
				}
				return true
			})
		}
	}
}
