// Package docs embeds the pages that the program itself shows.
package docs

import _ "embed"

// Glossary is docs/glossary.md.
//
//go:embed glossary.md
var Glossary string
