package blockcheck

// chartBlock checks a data_visualization block, of which a message takes two.
func chartBlock(v value) {
	if v.charts++; v.charts > maxCharts {
		v.report("no more than %d data_visualization blocks allowed", maxCharts)
	}
	fields(
		must("title", nonEmpty("data_visualization.title")),
		must("chart", variants(map[string]rule{"pie": pieChart, "bar": plotChart, "area": plotChart, "line": plotChart})),
	)(v)
}

var pieChart = fields(must("segments", list("data_visualization.segments", fields(
	must("label", nonEmpty("data_visualization.segment.label")),
	must("value", func(v value) {
		least := limit("data_visualization.segment.value.exclusive_min")
		if n, ok := v.number(); ok && n <= float64(least) {
			v.report("must be more than %d", least)
		}
	}),
))))

// plotChart checks a bar, area or line chart: series of points over categories.
func plotChart(v value) {
	labels := map[string]bool{}
	names := map[string]bool{}
	fields(
		must("axis_config", object(
			may("x_label", bounded("data_visualization.axis_label")),
			may("y_label", bounded("data_visualization.axis_label")),
			must("categories", list("data_visualization.categories", func(v value) {
				v.length("data_visualization.category_label", 0)
				label, _ := v.raw.(string)
				switch {
				case label == "":
					v.report("must be more than 0 characters")
				case labels[label]:
					v.report("categories must be unique")
				}
				labels[label] = true
			})),
		)),
		must("series", list("data_visualization.series", fields(
			must("name", func(v value) {
				v.length("data_visualization.series_name", 1)
				name, _ := v.raw.(string)
				if names[name] {
					v.report("series names must be unique")
				}
				names[name] = true
			}),
			must("data", seriesPoints(labels)),
		))),
	)(v)
}

// seriesPoints checks that a series has one point for every category.
func seriesPoints(categories map[string]bool) rule {
	return func(v value) {
		seen := map[string]bool{}
		list("data_visualization.data", func(v value) {
			fields(
				must("label", nonEmpty("data_visualization.point_label")),
				must("value", number),
			)(v)
			m, _ := v.member("label")
			label, _ := m.raw.(string)
			if !categories[label] {
				m.report("must be one of the categories")
			}
			seen[label] = true
		})(v)
		if len(seen) != len(categories) {
			v.report("must have one point for every category")
		}
	}
}
