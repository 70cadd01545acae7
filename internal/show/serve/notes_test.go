package serve

import (
	"slices"
	"testing"

	"github.com/deeplimit/deeplimit/runfolder"
)

// TestNotes has what people have written about a study on its page.
func TestNotes(t *testing.T) {
	dir := t.TempDir()
	if err := runfolder.CreateStudy(dir, "s", "name: s\n", nil); err != nil {
		t.Fatal(err)
	}
	if err := runfolder.WriteNotes(dir, runfolder.Notes{Note: "α\n<b>", Tags: []string{"paper"}}); err != nil {
		t.Fatal(err)
	}
	s := running(t, dir, Options{})
	list := get[struct{ Studies []studyInfo }](t, s.base()+"/api/studies").Studies
	if len(list) != 1 {
		t.Fatalf("got %v, want one study", list)
	}
	got := get[struct {
		Note string
		Tags []string
	}](t, s.base()+"/api/studies/"+list[0].Name)
	if got.Note != "α\n<b>" || !slices.Equal(got.Tags, []string{"paper"}) {
		t.Errorf("got %+v", got)
	}
}
