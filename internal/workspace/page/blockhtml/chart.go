package blockhtml

import (
	"cmp"
	"math"
	"strconv"
	"strings"
)

// chartBlock is a data_visualization: a pie of segments, or series over
// categories as bars, areas or lines.
type chartBlock struct {
	Title string `json:"title"`
	Chart struct {
		Type     string         `json:"type"`
		Segments []chartPoint   `json:"segments"`
		Series   []chartSeries  `json:"series"`
		Axis     chartAxisNames `json:"axis_config"`
	} `json:"chart"`
}

type chartPoint struct {
	Label string  `json:"label"`
	Value float64 `json:"value"`
}

type chartSeries struct {
	Name string       `json:"name"`
	Data []chartPoint `json:"data"`
}

type chartAxisNames struct {
	Categories []string `json:"categories"`
	X          string   `json:"x_label"`
	Y          string   `json:"y_label"`
}

// Slack's limits: what goes beyond is left to the table below the chart.
const (
	maxSeries = 6
	maxPoints = 20
)

func (r *renderer) chart(b chartBlock) {
	r.open("figure", "class", "chart")
	r.element("figcaption", b.Title)
	switch b.Chart.Type {
	case "pie":
		r.pie(b)
	case "bar", "area", "line":
		r.plot(b)
	default:
		r.element("p", "A chart of the unknown kind "+strconv.Quote(clip(b.Chart.Type, 40)), "class", "unknown")
	}
	if len(b.Chart.Segments) > 0 || len(b.Chart.Series) > 0 {
		r.figures(b)
	}
	r.close("figure")
}

// figures is the chart as a table, for those who cannot see it and those who
// want the exact values.
func (r *renderer) figures(b chartBlock) {
	r.open("details")
	r.element("summary", "Show the figures")
	r.open("table")
	r.open("tbody")
	for _, segment := range each(r, b.Chart.Segments) {
		r.figureRow(segment.Label, []chartPoint{segment})
	}
	if series := b.Chart.Series; len(series) > 0 {
		r.figureHead(b)
		for i, label := range each(r, b.labels()) {
			var row []chartPoint
			for _, s := range series {
				row = append(row, s.at(i, label))
			}
			r.figureRow(label, row)
		}
	}
	r.close("tbody")
	r.close("table")
	r.close("details")
}

func (r *renderer) figureHead(b chartBlock) {
	r.open("tr")
	r.element("th", cmp.Or(b.Chart.Axis.X, "Category"), "scope", "col")
	for _, s := range each(r, b.Chart.Series) {
		r.element("th", s.Name, "scope", "col")
	}
	r.close("tr")
}

func (r *renderer) figureRow(label string, row []chartPoint) {
	r.open("tr")
	r.element("th", label, "scope", "row")
	for _, point := range each(r, row) {
		r.element("td", formatNumber(point.Value), "class", "right")
	}
	r.close("tr")
}

// labels are the categories, or where there are none the first series' labels.
func (b chartBlock) labels() []string {
	if len(b.Chart.Axis.Categories) > 0 || len(b.Chart.Series) == 0 {
		return b.Chart.Axis.Categories
	}
	var labels []string
	for _, point := range b.Chart.Series[0].Data {
		labels = append(labels, point.Label)
	}
	return labels
}

// at finds the point of a category: by its label, which Slack asks for in any
// order, first looked for in its own place.
func (s chartSeries) at(i int, label string) chartPoint {
	if i < len(s.Data) && s.Data[i].Label == label {
		return s.Data[i]
	}
	for _, point := range s.Data[:min(len(s.Data), maxPoints)] {
		if point.Label == label {
			return point
		}
	}
	return chartPoint{Label: label}
}

// legend names the colours.
func (r *renderer) legend(names, values []string) {
	r.open("ul", "class", "legend")
	for i, name := range each(r, names) {
		r.open("li")
		r.element("span", "", "class", "swatch "+seriesClass(i))
		r.element("span", name)
		if values != nil {
			r.element("span", values[i], "class", "value")
		}
		r.close("li")
	}
	r.close("ul")
}

func seriesClass(i int) string { return "series-" + strconv.Itoa(i%maxSeries) }

// pie draws the segments clockwise from the top.
func (r *renderer) pie(b chartBlock) {
	segments := b.Chart.Segments[:min(len(b.Chart.Segments), maxSeries)]
	total := 0.0
	for _, segment := range segments {
		total += max(segment.Value, 0)
	}
	if total <= 0 || math.IsInf(total, 0) {
		r.element("p", "Nothing to draw.", "class", "unknown")
		return
	}
	var names, values, labels []string
	for _, segment := range segments {
		share := max(segment.Value, 0) / total
		percent := strconv.FormatFloat(share*100, 'f', 1, 64) + "%"
		names = append(names, segment.Label)
		values = append(values, formatNumber(segment.Value)+" · "+percent)
		labels = append(labels, segment.Label+" "+percent)
	}
	r.div("pie", func() {
		r.open("svg", "viewBox", "0 0 200 200", "role", "img", "aria-label", "Pie chart: "+strings.Join(labels, ", "))
		from := 0.0
		for i, segment := range segments {
			share := max(segment.Value, 0) / total
			r.slice(i, from, share, names[i]+": "+values[i])
			from += share
		}
		r.close("svg")
		r.legend(names, values)
	})
}

// slice draws one segment; from and share are parts of the whole circle.
func (r *renderer) slice(i int, from, share float64, title string) {
	const centre, radius = 100.0, 92.0
	class := "slice " + seriesClass(i)
	switch {
	case share <= 0:
		return
	case share > 0.9999:
		r.open("circle", "class", class, "cx", "100", "cy", "100", "r", "92")
		r.element("title", title)
		r.close("circle")
		return
	}
	point := func(part float64) string {
		sin, cos := math.Sincos(part * 2 * math.Pi)
		return coordinate(centre+radius*sin) + " " + coordinate(centre-radius*cos)
	}
	large := "0"
	if share > 0.5 {
		large = "1"
	}
	r.open("path", "class", class, "d", "M100 100L"+point(from)+"A92 92 0 "+large+" 1 "+point(from+share)+"Z")
	r.element("title", title)
	r.close("path")
}

func coordinate(v float64) string { return strconv.FormatFloat(v, 'f', 1, 64) }
