module github.com/deeplimit/deeplimit/internal/kernel/generate

go 1.26.8

require (
	github.com/deeplimit/deeplimit v0.0.0
	github.com/mmcloughlin/avo v0.5.0
)

require (
	golang.org/x/mod v0.42.0 // indirect
	golang.org/x/sync v0.25.0 // indirect
	golang.org/x/tools v0.52.0 // indirect
)

replace github.com/deeplimit/deeplimit => ../../..
