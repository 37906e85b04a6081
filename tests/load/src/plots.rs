//! The plots of docs/performance.md, as SVG.

use std::error::Error;
use std::path::Path;

use plotters::coord::ranged1d::AsRangedCoord;
use plotters::coord::ranged1d::ValueFormatter;
use plotters::prelude::BLUE;
use plotters::prelude::ChartBuilder;
use plotters::prelude::Circle;
use plotters::prelude::Color;
use plotters::prelude::IntoDrawingArea;
use plotters::prelude::IntoLogRange;
use plotters::prelude::LineSeries;
use plotters::prelude::PathElement;
use plotters::prelude::RED;
use plotters::prelude::RGBColor;
use plotters::prelude::Ranged;
use plotters::prelude::SVGBackend;
use plotters::prelude::SeriesLabelPosition;
use plotters::prelude::WHITE;

use crate::figures::Figures;
use crate::page::Page;
use crate::service::Batches;
use crate::service::Device;

/// Draws all of them into a folder.
pub(crate) fn draw(page: &Page, folder: &Path) -> Result<(), Box<dyn Error>> {
    let of_devices = |batches, figure: fn(&Figures) -> f64| {
        let chosen = page.devices.iter().filter_map(move |(device, figures)| {
            let Device::Serial(milliseconds, of) = device else {
                return None;
            };
            (*of == batches).then(|| (*milliseconds as f64, figure(figures)))
        });
        chosen.collect::<Vec<_>>()
    };
    let chart = Chart {
        title: "Attested connections each second",
        x: "ms that the device takes for one piece of Evidence",
        y: "connections/s",
        legend: SeriesLabelPosition::LowerLeft,
        series: vec![
            Series::new("in batches", of_devices(Batches::Yes, |it| it.per_second)),
            Series::new("one each", of_devices(Batches::No, |it| it.per_second)),
        ],
    };
    chart.logarithmic(&folder.join("rate.svg"))?;
    let chart = Chart {
        title: "Time to an attested connection",
        x: "ms that the device takes for one piece of Evidence",
        y: "ms",
        legend: SeriesLabelPosition::LowerRight,
        series: vec![
            Series::new("p50, in batches", of_devices(Batches::Yes, |it| it.p50)),
            Series::new("p99, in batches", of_devices(Batches::Yes, |it| it.p99)),
            Series::new(
                "p50, one each, 4 clients",
                of_devices(Batches::No, |it| it.p50),
            ),
            Series::new(
                "p99, one each, 4 clients",
                of_devices(Batches::No, |it| it.p99),
            ),
        ],
    };
    chart.logarithmic(&folder.join("latency.svg"))?;
    let of_sizes = |figure: fn(&Figures) -> f64| {
        let sizes = page.sizes.iter();
        let points = sizes.map(move |(bytes, figures)| (*bytes as f64 / 1000.0, figure(figures)));
        points.collect::<Vec<_>>()
    };
    let chart = Chart {
        title: "Processor time of one connection, by size of Evidence (0: plain TLS)",
        x: "kB of Evidence",
        y: "µs",
        legend: SeriesLabelPosition::UpperLeft,
        series: vec![
            Series::new("both ends", of_sizes(Figures::cpu)),
            Series::new("server", of_sizes(|it| it.server_cpu)),
            Series::new("client", of_sizes(|it| it.client_cpu)),
        ],
    };
    chart.linear(&folder.join("evidence.svg"))?;
    let idle = page.memory.iter().map(|row| {
        let points = row.held.iter();
        let points = points.map(|held| (held.connections as f64, held.both()));
        Series::new(row.kind.to_string(), points.collect())
    });
    let chart = Chart {
        title: "Memory of each idle connection, both ends",
        x: "idle connections",
        y: "bytes",
        legend: SeriesLabelPosition::LowerRight,
        series: idle.collect(),
    };
    chart.linear(&folder.join("memory.svg"))
}

struct Chart {
    title: &'static str,
    x: &'static str,
    y: &'static str,
    legend: SeriesLabelPosition,
    series: Vec<Series>,
}

struct Series {
    name: String,
    points: Vec<(f64, f64)>,
}

impl Series {
    fn new(name: impl Into<String>, points: Vec<(f64, f64)>) -> Self {
        Self {
            name: name.into(),
            points,
        }
    }
}

impl Chart {
    /// Both axes begin at zero.
    fn linear(&self, path: &Path) -> Result<(), Box<dyn Error>> {
        let (x, y) = (self.largest(|(x, _)| x), self.largest(|(_, y)| y));
        self.draw(path, 0.0..x * 1.05, 0.0..y * 1.1)
    }

    fn logarithmic(&self, path: &Path) -> Result<(), Box<dyn Error>> {
        let (x, y) = (self.largest(|(x, _)| x), self.largest(|(_, y)| y));
        let (from_x, from_y) = (self.smallest(|(x, _)| x), self.smallest(|(_, y)| y));
        let x = (from_x / 1.2..x * 1.2).log_scale();
        self.draw(path, x, (from_y / 2.0..y * 2.0).log_scale())
    }

    fn largest(&self, of: fn((f64, f64)) -> f64) -> f64 {
        self.figures(of).fold(1.0, f64::max)
    }

    /// A logarithm has no zero.
    fn smallest(&self, of: fn((f64, f64)) -> f64) -> f64 {
        let figures = self.figures(of).filter(|figure| *figure > 0.0);
        figures.reduce(f64::min).unwrap_or(1.0)
    }

    fn figures(&self, of: fn((f64, f64)) -> f64) -> impl Iterator<Item = f64> {
        let points = self.series.iter().flat_map(|series| &series.points);
        points.map(move |point| of(*point))
    }

    fn draw<X, Y>(&self, path: &Path, x: X, y: Y) -> Result<(), Box<dyn Error>>
    where
        X: AsRangedCoord<Value = f64>,
        Y: AsRangedCoord<Value = f64>,
        X::CoordDescType: Ranged<ValueType = f64> + ValueFormatter<f64>,
        Y::CoordDescType: Ranged<ValueType = f64> + ValueFormatter<f64>,
    {
        let area = SVGBackend::new(path, SIZE).into_drawing_area();
        area.fill(&WHITE)?;
        let mut chart = ChartBuilder::on(&area)
            .caption(self.title, ("sans-serif", 18))
            .margin(12)
            .x_label_area_size(44)
            .y_label_area_size(64)
            .build_cartesian_2d(x, y)?;
        chart
            .configure_mesh()
            .x_desc(self.x)
            .y_desc(self.y)
            .x_labels(6)
            .y_labels(8)
            .x_label_formatter(&|figure| format!("{figure:.0}"))
            .y_label_formatter(&|figure| format!("{figure:.0}"))
            .max_light_lines(0)
            .draw()?;
        for (series, color) in self.series.iter().zip(COLORS) {
            let line = LineSeries::new(series.points.iter().copied(), color.stroke_width(2));
            chart
                .draw_series(line)?
                .label(series.name.clone())
                .legend(move |(x, y)| PathElement::new([(x, y), (x + 16, y)], color));
            let points = series.points.iter();
            chart.draw_series(points.map(|point| Circle::new(*point, 3, color.filled())))?;
        }
        chart
            .configure_series_labels()
            .position(self.legend.clone())
            .background_style(WHITE)
            .border_style(RGBColor(200, 200, 200))
            .draw()?;
        Ok(area.present()?)
    }
}

/// Pixels.
const SIZE: (u32, u32) = (720, 420);

const GREEN: RGBColor = RGBColor(0, 140, 60);
const ORANGE: RGBColor = RGBColor(230, 140, 0);
const COLORS: [RGBColor; 4] = [BLUE, RED, GREEN, ORANGE];
