package study

import _ "embed"

//go:embed template.yaml
var template string

// Template returns a study file that runs as it is and shows every key with what it
// means, the ones left at their default as comments: what `deeplimit init` writes.
func Template() string { return template }
