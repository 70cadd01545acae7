// Package browser tests the page of `deeplimit serve` in a real browser, over a real
// study that the real program trains meanwhile: `make test-browser`. It needs Chromium
// and axe-core, and is empty without the build tag browser.
package browser
