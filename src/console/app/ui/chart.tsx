import { useEffect, useRef } from "preact/hooks";
import uPlot from "uplot";

export interface Series {
  readonly label: string;
  /** A colour variable of the style sheet, like `--accent`. */
  readonly colour: string;
  /** One for each time; null leaves a gap. */
  readonly values: readonly (number | null)[];
  readonly kind: "bars" | "points";
}

const HEIGHT = 200;
/** One point alone, or a few seconds, would be spread over the whole width and say nothing. */
const SHORTEST_SECONDS = 600;

/**
 * A chart over time. The picture is hidden from screen readers: `summary` says the same in words, for everybody.
 *
 * @param times epoch seconds, ascending
 */
export function Chart({
  title,
  summary,
  times,
  series,
  show = String,
}: {
  title: string;
  summary: string;
  times: readonly number[];
  series: readonly Series[];
  /** How a value of the y axis is written. */
  show?: (value: number) => string;
}) {
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const data: uPlot.AlignedData = [[...times], ...series.map(({ values }) => [...values])];
  const newest = useRef(data);
  newest.current = data;
  const names = series.map(({ label }) => label).join();
  useEffect(() => {
    const element = box.current;
    if (element === null) return;
    const draw = (): void => {
      plot.current?.destroy();
      plot.current = new uPlot(optionsOf(element, series, show), newest.current, element);
    };
    draw();
    const resized = new ResizeObserver(() =>
      plot.current?.setSize({ width: element.clientWidth, height: HEIGHT }),
    );
    resized.observe(element);
    // A canvas does not follow the style sheet: it is drawn anew in the other colours.
    const scheme = matchMedia("(prefers-color-scheme: dark)");
    scheme.addEventListener("change", draw);
    return () => {
      resized.disconnect();
      scheme.removeEventListener("change", draw);
      plot.current?.destroy();
      plot.current = null;
    };
  }, [names]);
  useEffect(() => plot.current?.setData(newest.current), [times, series]);
  return (
    <figure class="card chart-card">
      <figcaption>
        <h2>{title}</h2>
        <p class="quiet">{summary}</p>
      </figcaption>
      <ul class="keys" aria-hidden="true">
        {series.map(({ label, colour }) => (
          <li key={label} style={{ "--key": `var(${colour})` }}>
            {label}
          </li>
        ))}
      </ul>
      <div class="chart" ref={box} aria-hidden="true" />
    </figure>
  );
}

function optionsOf(
  element: HTMLElement,
  series: readonly Series[],
  show: (value: number) => string,
): uPlot.Options {
  const colour = resolver(element);
  const axis = {
    stroke: colour("--quiet"),
    grid: { stroke: colour("--line"), width: 1 },
    ticks: { show: false },
  };
  const bars = uPlot.paths.bars?.({ size: [1, 60] });
  return {
    width: element.clientWidth,
    height: HEIGHT,
    legend: { show: false },
    cursor: { drag: { x: false, y: false }, points: { size: 6 } },
    scales: {
      x: {
        range: (_, min, max) => (max - min < SHORTEST_SECONDS ? [max - SHORTEST_SECONDS, max] : [min, max]),
      },
      y: { range: (_, __, max) => [0, max > 0 ? max * 1.1 : 1] },
    },
    axes: [
      { ...axis, values: timesOfDay, space: 70, size: 30 },
      { ...axis, size: 60, values: (_, splits) => splits.map(show) },
    ],
    series: [
      {},
      ...series.map(({ label, colour: name, kind }) => ({
        label,
        ...(kind === "bars" && bars !== undefined
          ? { fill: colour(name), width: 0, points: { show: false }, paths: bars }
          : { paths: () => null, points: { show: true, size: 6, width: 0, fill: colour(name) } }),
      })),
    ],
  };
}

/** Marks that are closer than a minute are told apart by their seconds. */
function timesOfDay(_: uPlot, splits: readonly number[]): string[] {
  const isClose = splits.length > 1 && (splits[1] ?? 0) - (splits[0] ?? 0) < 60;
  const parts = { hour: "2-digit", minute: "2-digit", hour12: false } as const;
  const form = isClose ? { ...parts, second: "2-digit" as const } : parts;
  return splits.map((each) => new Date(each * 1_000).toLocaleTimeString("en-GB", form));
}

/** `light-dark()` in a variable becomes a colour only where it is used, so a colour is asked of an element. */
function resolver(element: HTMLElement): (name: string) => string {
  return (name) => {
    const probe = document.createElement("span");
    probe.style.color = `var(${name})`;
    element.append(probe);
    const { color } = getComputedStyle(probe);
    probe.remove();
    return color;
  };
}
