package blockhtml

import (
	"math"
	"strconv"
	"strings"
)

// The plot's canvas, in units of its viewBox.
const (
	plotWidth, plotHeight = 600.0, 260.0
	plotLeft, plotRight   = 56.0, 590.0
	plotTop, plotBottom   = 14.0, 222.0
)

// plot maps values to places on the canvas.
type plot struct {
	labels   []string
	series   []chartSeries
	low      float64 // the value at the bottom
	high     float64 // the value at the top
	step     float64 // between two grid lines
	slot     float64 // width of a category
	yCaption string
}

// plot draws series as bars, areas or lines.
func (r *renderer) plot(b chartBlock) {
	labels := b.labels()
	p := plot{
		labels:   labels[:min(len(labels), maxPoints)],
		series:   b.Chart.Series[:min(len(b.Chart.Series), maxSeries)],
		yCaption: b.Chart.Axis.Y,
	}
	if !p.scale() {
		r.element("p", "Nothing to draw.", "class", "unknown")
		return
	}
	names := make([]string, len(p.series))
	for i, s := range p.series {
		names[i] = clip(s.Name, 80)
	}
	if p.yCaption != "" {
		r.element("div", p.yCaption, "class", "axis-name")
	}
	r.open("svg", "viewBox", "0 0 600 260", "role", "img",
		"aria-label", b.Chart.Type+" chart of "+strings.Join(names, ", ")+"; the figures follow")
	r.grid(p)
	for i := range p.series {
		if b.Chart.Type == "bar" {
			r.bars(p, i)
		} else {
			r.curve(p, i, b.Chart.Type == "area")
		}
	}
	r.close("svg")
	if b.Chart.Axis.X != "" {
		r.element("div", b.Chart.Axis.X, "class", "axis-name x")
	}
	if len(names) > 1 {
		r.legend(names, nil)
	}
}

// scale finds the range of values and a round step for the grid. It reports
// whether there is anything that can be drawn.
func (p *plot) scale() bool {
	if len(p.labels) == 0 || len(p.series) == 0 {
		return false
	}
	for _, s := range p.series {
		for i, label := range p.labels {
			v := s.at(i, label).Value
			p.low, p.high = min(p.low, v), max(p.high, v)
		}
	}
	if p.low == p.high {
		p.high = 1
	}
	if p.high-p.low > 1e15 || p.high-p.low < 1e-9 {
		return false
	}
	p.step = roundStep((p.high - p.low) / 4)
	p.low = math.Floor(p.low/p.step) * p.step
	p.high = math.Ceil(p.high/p.step) * p.step
	p.slot = (plotRight - plotLeft) / float64(len(p.labels))
	return true
}

// roundStep is the next larger 1, 2, 2.5 or 5 times a power of ten.
func roundStep(v float64) float64 {
	power := math.Pow(10, math.Floor(math.Log10(v)))
	for _, factor := range []float64{1, 2, 2.5, 5} {
		if v <= factor*power*1.0001 {
			return factor * power
		}
	}
	return 10 * power
}

func (p plot) y(v float64) float64 {
	return plotBottom - (v-p.low)/(p.high-p.low)*(plotBottom-plotTop)
}

// grid draws the horizontal lines with their values and the categories' names.
func (r *renderer) grid(p plot) {
	for i := 0; i <= 10; i++ {
		v := p.low + float64(i)*p.step
		if v > p.high+p.step/2 {
			break
		}
		y := coordinate(p.y(v))
		class := "grid"
		if math.Abs(v) < p.step/1000 {
			class, v = "grid zero", 0
		}
		r.open("line", "class", class, "x1", coordinate(plotLeft), "x2", coordinate(plotRight), "y1", y, "y2", y)
		r.close("line")
		r.element("text", shortNumber(v), "class", "tick", "x", coordinate(plotLeft-8), "y", coordinate(p.y(v)+4), "text-anchor", "end")
	}
	// Names that would run into each other are left out in turn.
	every := 1
	for _, label := range p.labels {
		width := float64(len([]rune(label)))*10 + 6 // the style sheet has larger letters where a chart is small
		every = max(every, int(math.Ceil(width/p.slot)))
	}
	for i, label := range p.labels {
		if i%every != 0 {
			continue
		}
		r.element("text", clip(label, 80), "class", "tick", "x", coordinate(plotLeft+(float64(i)+0.5)*p.slot), "y", coordinate(plotBottom+28), "text-anchor", "middle")
	}
}

// bars draws one series as the nth bar of every group.
func (r *renderer) bars(p plot, n int) {
	group := p.slot * 0.72
	width := group / float64(len(p.series))
	for i, label := range each(r, p.labels) {
		v := p.series[n].at(i, label).Value
		top, bottom := p.y(max(v, 0)), p.y(min(v, 0))
		x := plotLeft + float64(i)*p.slot + (p.slot-group)/2 + float64(n)*width
		r.open("rect", "class", "column "+seriesClass(n), "rx", "2", "x", coordinate(x), "y", coordinate(top),
			"width", coordinate(max(width-2, 1)), "height", coordinate(bottom-top))
		r.element("title", p.tooltip(n, label, v))
		r.close("rect")
	}
}

// curve draws one series as a line, with the area below it where asked.
func (r *renderer) curve(p plot, n int, filled bool) {
	var path strings.Builder
	xs, ys := make([]string, len(p.labels)), make([]string, len(p.labels))
	for i, label := range p.labels {
		xs[i] = coordinate(plotLeft + (float64(i)+0.5)*p.slot)
		ys[i] = coordinate(p.y(p.series[n].at(i, label).Value))
		path.WriteString(map[bool]string{true: "M", false: "L"}[i == 0] + xs[i] + " " + ys[i])
	}
	if filled {
		zero := coordinate(p.y(min(max(0, p.low), p.high)))
		r.open("path", "class", "area "+seriesClass(n), "d", path.String()+"L"+xs[len(xs)-1]+" "+zero+"L"+xs[0]+" "+zero+"Z")
		r.close("path")
	}
	r.open("path", "class", "line "+seriesClass(n), "d", path.String())
	r.close("path")
	for i, label := range each(r, p.labels) {
		r.open("circle", "class", "dot "+seriesClass(n), "cx", xs[i], "cy", ys[i], "r", "3.5")
		r.element("title", p.tooltip(n, label, p.series[n].at(i, label).Value))
		r.close("circle")
	}
}

// tooltip is the title of a bar or a dot.
func (p plot) tooltip(n int, label string, v float64) string {
	return clip(p.series[n].Name, 80) + ", " + clip(label, 80) + ": " + formatNumber(v)
}

// shortNumber writes 12000 as 12k.
func shortNumber(v float64) string {
	for _, unit := range []struct {
		size float64
		sign string
	}{{1e12, "T"}, {1e9, "G"}, {1e6, "M"}, {1e3, "k"}} {
		if math.Abs(v) >= unit.size {
			return strconv.FormatFloat(math.Round(v/unit.size*100)/100, 'f', -1, 64) + unit.sign
		}
	}
	return strconv.FormatFloat(v, 'g', 4, 64)
}
