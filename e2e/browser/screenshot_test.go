package browser_test

import (
	"bytes"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/chromedp/chromedp"
)

// TestScreenshots takes the pictures in the README; with -update, it writes them:
//
//	go test ./e2e/browser -run TestScreenshots -update
func TestScreenshots(t *testing.T) {
	t.Parallel()
	const maxBytes = 150 << 10
	server := start(t, "-demo")
	server.waitFor("status=completed")
	server.waitFor("status=failed&name=charge-card")
	p := open(t, server.dashboard)
	dir := t.TempDir()
	if *update {
		dir = filepath.Join("..", "..", "docs")
		p.shows("possibly stuck") // after a while: there is more to see by then
	}
	for _, scheme := range []string{"light", "dark"} {
		p.colours(scheme)
		p.visit("")
		p.goesLive()
		p.tasks("Finished").get("row", "charge-card").appears()
		picture := p.picture()
		if size := picture.Bounds().Size(); size != image.Pt(1280, 800) {
			t.Errorf("%s: the picture is of %v", scheme, size)
		}
		var file bytes.Buffer
		encoder := png.Encoder{CompressionLevel: png.BestCompression}
		if err := encoder.Encode(&file, with256Colours(picture)); err != nil {
			t.Fatal(err)
		}
		if file.Len() > maxBytes {
			t.Errorf("%s: the picture has %d bytes", scheme, file.Len())
		}
		if err := os.WriteFile(filepath.Join(dir, "dashboard-"+scheme+".png"), file.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func (p *page) picture() image.Image {
	p.t.Helper()
	data, err := chromedp.Run(p.chromium(), chromedp.CaptureScreenshot())
	if err != nil {
		p.t.Fatal(err)
	}
	picture, err := png.Decode(bytes.NewReader(data))
	if err != nil {
		p.t.Fatal(err)
	}
	return picture
}

// with256Colours makes a third of the file. It keeps the colours that are used most, and of those
// that look alike only one, or shades at the edges of letters would leave none for bars.
func with256Colours(picture image.Image) image.Image {
	bounds := picture.Bounds()
	used := make(map[color.RGBA]int)
	for y := bounds.Min.Y; y < bounds.Max.Y; y++ {
		for x := bounds.Min.X; x < bounds.Max.X; x++ {
			used[rgba(picture.At(x, y))]++
		}
	}
	var palette color.Palette
	for _, c := range slices.SortedFunc(maps.Keys(used), func(a, b color.RGBA) int { return used[b] - used[a] }) {
		if len(palette) < 256 && !slices.ContainsFunc(palette, func(kept color.Color) bool { return alike(c, rgba(kept)) }) {
			palette = append(palette, c)
		}
	}
	reduced := image.NewPaletted(bounds, palette)
	draw.Draw(reduced, bounds, picture, bounds.Min, draw.Src)
	return reduced
}

func rgba(c color.Color) color.RGBA { return color.RGBAModel.Convert(c).(color.RGBA) }

func alike(a, b color.RGBA) bool {
	near := func(a, b uint8) bool { return max(a, b)-min(a, b) < 6 }
	return near(a.R, b.R) && near(a.G, b.G) && near(a.B, b.B)
}
