package blockcheck

// chart checks a data_visualization block, of which a message takes two.
func (v value) chart() {
	if v.charts++; v.charts > maxCharts {
		v.fault("no more than %d data_visualization blocks allowed", maxCharts)
	}
	v.requiredString("title", "data_visualization.title")
	chart, ok := v.required("chart")
	if !ok {
		return
	}
	kind, ok := chart.kind("pie", "bar", "area", "line")
	switch {
	case !ok:
	case kind == "pie":
		chart.pie()
	default:
		chart.plot()
	}
}

func (v value) pie() {
	segments, ok := v.required("segments")
	if !ok {
		return
	}
	for _, s := range segments.counted("data_visualization.segments") {
		s.requiredString("label", "data_visualization.segment.label")
		m, ok := s.required("value")
		if !ok {
			continue
		}
		least := limit("data_visualization.segment.value.exclusive_min")
		if n, ok := m.number(); ok && n <= float64(least) {
			m.fault("must be more than %d", least)
		}
	}
}

// plot checks a bar, area or line chart: series of points over categories.
func (v value) plot() {
	categories := v.categories()
	series, ok := v.required("series")
	if !ok {
		return
	}
	names := map[string]bool{}
	for _, s := range series.counted("data_visualization.series") {
		s.requiredString("name", "data_visualization.series_name")
		if m, _ := s.member("name"); m.raw != nil {
			name, _ := m.raw.(string)
			if names[name] {
				m.fault("series names must be unique")
			}
			names[name] = true
		}
		s.points(categories)
	}
}

// categories checks the axes and returns the labels that points may have.
func (v value) categories() map[string]bool {
	labels := map[string]bool{}
	axes, ok := v.required("axis_config")
	if !ok || !axes.isObject() {
		return labels
	}
	axes.optionalString("x_label", "data_visualization.axis_label")
	axes.optionalString("y_label", "data_visualization.axis_label")
	list, ok := axes.required("categories")
	if !ok {
		return labels
	}
	for _, c := range list.counted("data_visualization.categories") {
		c.measured("data_visualization.category_label")
		label, _ := c.raw.(string)
		switch {
		case label == "":
			c.fault("must be more than 0 characters")
		case labels[label]:
			c.fault("categories must be unique")
		}
		labels[label] = true
	}
	return labels
}

// points checks that a series has one point for every category.
func (v value) points(categories map[string]bool) {
	data, ok := v.required("data")
	if !ok {
		return
	}
	seen := map[string]bool{}
	for _, p := range data.counted("data_visualization.data") {
		p.requiredString("label", "data_visualization.point_label")
		if m, ok := p.required("value"); ok {
			m.number()
		}
		m, _ := p.member("label")
		label, _ := m.raw.(string)
		if !categories[label] {
			m.fault("must be one of the categories")
		}
		seen[label] = true
	}
	if len(seen) != len(categories) {
		data.fault("must have one point for every category")
	}
}
