// A thin face of uPlot for the dashboard's Rust: it is handed numbers and draws them. Decimation, ranges, ticks and
// the timing of frames are decided in Rust.
(() => {
  /** Where values stand that a line would not show: alone, or together narrower than a dot. */
  const dots = (plot, series) => {
    const [seconds, values] = [plot.data[0], plot.data[series]];
    const found = [];
    for (let first = 0, end = 0; first < values.length; first = end + 1) {
      for (end = first; (values[end] ?? null) !== null; end += 1);
      if (end > first && plot.valToPos(seconds[end - 1], 'x') - plot.valToPos(seconds[first], 'x') < 3) found.push(first);
    }
    return found;
  };

  /** Told apart without colour too. */
  const DASHES = [undefined, [6, 4], [2, 3], [12, 4], [10, 3, 2, 3], [4, 2]];

  /** A clock time without a date. */
  const clock = (withSeconds) => new Intl.DateTimeFormat(undefined, {
    hour: '2-digit', minute: '2-digit', second: withSeconds ? '2-digit' : undefined, hourCycle: 'h23',
  });
  const MINUTES = clock(false);
  const SECONDS = clock(true);
  const DAYS = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short' });
  const DAY = 86_400;

  globalThis.QuillworkChart = class {
    #plot;
    #style;
    #hovered = false;
    #observer;
    #listening = new AbortController();
    #frame = { bottom: 0, top: 1, ticks: [0, 1], labels: ['0', '1'], limit: NaN };
    #marks = new Float64Array();

    /**
     * @param {HTMLElement} host where to draw; its size is the chart's
     * @param {number} series how many lines; their colours are the CSS colours --series-1 and so on
     * @param {(second: number) => void} onCursor the pointer is over this instant; NaN when it leaves
     * @param {(width: number) => void} onResize
     * @param {((from: number, to: number) => void) | undefined} onSelect a range was dragged; without it nothing can be
     */
    constructor(host, series, onCursor, onResize, onSelect) {
      this.#style = getComputedStyle(host);
      const line = (_, index) => ({
        stroke: () => this.#colour(`--series-${index + 1}`),
        fill: series === 1 ? () => this.#colour('--series-fill') : undefined,
        width: 2,
        dash: DASHES[index],
        spanGaps: false,
        points: { size: 5, filter: dots },
      });
      const axis = {
        stroke: () => this.#colour('--text-muted'),
        grid: { stroke: () => this.#colour('--line'), width: 1 },
        ticks: { show: false },
        font: `11px ${this.#style.fontFamily}`,
      };
      this.#plot = new uPlot({
        width: host.clientWidth || 300,
        height: host.clientHeight || 150,
        padding: [8, 8, 0, 0],
        legend: { show: false },
        cursor: { y: false, drag: { x: onSelect !== undefined, y: false, setScale: false, dist: 6 }, points: { size: 8, width: 2 } },
        scales: {
          x: { time: true, range: (_, min, max) => [min, max] },
          // A little room, so that a line along the top keeps its whole width.
          y: { range: () => [this.#frame.bottom * 1.015, this.#frame.top * 1.015] },
        },
        axes: [
          {
            ...axis,
            space: 72,
            size: 30,
            gap: 8,
            values: (plot, splits, _, __, step) => splits.map((split) => this.#time(plot, split, step)),
          },
          { ...axis, size: 64, gap: 6, splits: () => this.#frame.ticks, values: () => this.#frame.labels },
        ],
        series: [{}, ...Array.from({ length: series }, line)],
        hooks: {
          drawAxes: [(plot) => { this.#drawMarks(plot); this.#drawLimit(plot); }],
          setSelect: [(plot) => {
            const { left, width } = plot.select;
            if (width === 0) return;
            plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
            onSelect?.(plot.posToVal(left, 'x'), plot.posToVal(left + width, 'x'));
          }],
          setCursor: [(plot) => {
            if (this.#hovered) onCursor(plot.cursor.left < 0 ? NaN : plot.posToVal(plot.cursor.left, 'x'));
          }],
        },
      }, [[], ...Array.from({ length: series }, () => [])], host);

      this.#plot.over.addEventListener('pointerenter', () => { this.#hovered = true; });
      this.#plot.over.addEventListener('pointerleave', () => { this.#hovered = false; onCursor(NaN); });
      this.#observer = new ResizeObserver(() => {
        if (host.clientWidth === 0 || host.clientHeight === 0) return;
        this.#plot.setSize({ width: host.clientWidth, height: host.clientHeight });
        onResize(this.#plot.over.clientWidth);
      });
      this.#observer.observe(host);
      // The system's colours may change while a picture is paused.
      matchMedia('(prefers-color-scheme: dark)')
        .addEventListener('change', () => this.#plot.redraw(false), { signal: this.#listening.signal });
    }

    /**
     * @param {Float64Array} seconds instants of the points; a view, valid only during the call
     * @param {Float32Array} values all lines, one after the other; NaN is a gap; a view likewise
     * @param {Float64Array} window first and last instant shown
     * @param {Float64Array} ends of the vertical axis; a view likewise
     * @param {Float64Array} ticks of the vertical axis
     * @param {string[]} labels of the ticks
     */
    draw(seconds, values, window, [bottom, top], ticks, labels, limit) {
      this.#frame = { bottom, top, ticks: Array.from(ticks), labels, limit };
      const data = [Array.from(seconds)];
      for (let start = 0; start < values.length; start += seconds.length) {
        // uPlot breaks a line at null; NaN it would draw across.
        data.push(Array.from(values.subarray(start, start + seconds.length), (v) => (Number.isNaN(v) ? null : v)));
      }
      const [min, max] = window;
      this.#plot.batch(() => {
        this.#plot.setData(data, false);
        this.#plot.setScale('x', { min, max });
      });
    }

    /** Marks from then on what happened: of each its first and last instant, the same twice where it was one. */
    mark(spans) {
      this.#marks = Float64Array.from(spans);
      this.#plot.redraw(false);
    }

    /** Puts the cursor on an instant; NaN takes it away. The chart under the pointer keeps its own. */
    point(second) {
      if (this.#hovered) return;
      const left = Number.isNaN(second) ? -10 : this.#plot.valToPos(second, 'x');
      this.#plot.setCursor({ left, top: left < 0 ? -10 : 0 }, false);
    }

    destroy() {
      this.#listening.abort();
      this.#observer.disconnect();
      this.#plot.destroy();
    }

    #colour(name) {
      return this.#style.getPropertyValue(name).trim();
    }

    /** The label of an instant; none where the right edge would cut it off. */
    #time(plot, second, step) {
      const { min, max } = plot.scales.x;
      const room = ((max - second) / (max - min)) * plot.over.clientWidth;
      const isMidnight = step >= DAY || (max - min > DAY && new Date(second * 1000).getHours() === 0);
      const label = step < 60 ? SECONDS : isMidnight ? DAYS : MINUTES;
      return room < (step < 60 ? 20 : 10) ? '' : label.format(second * 1000);
    }

    #drawMarks(plot) {
      const { top, height, left, width } = plot.bbox;
      const pen = plot.ctx;
      pen.save();
      pen.beginPath();
      pen.rect(left, top, width, height);
      pen.clip();
      for (let at = 0; at < this.#marks.length; at += 2) {
        const [from, to] = [this.#marks[at], this.#marks[at + 1]].map((second) => plot.valToPos(second, 'x', true));
        pen.fillStyle = this.#colour('--mark-fill');
        pen.fillRect(from, top, to - from, height);
        pen.fillStyle = this.#colour('--text-muted');
        pen.fillRect(Math.round(from), top, Math.max(1, Math.round(devicePixelRatio)), height);
      }
      pen.restore();
    }

    #drawLimit(plot) {
      const { limit, top } = this.#frame;
      if (Number.isNaN(limit) || limit > top) return;
      const y = Math.round(plot.valToPos(limit, 'y', true)) + 0.5;
      const { left, width } = plot.bbox;
      const pen = plot.ctx;
      pen.save();
      pen.strokeStyle = this.#colour('--limit');
      pen.lineWidth = Math.max(1, Math.round(devicePixelRatio));
      pen.setLineDash([2 * devicePixelRatio, 3 * devicePixelRatio]);
      pen.beginPath();
      pen.moveTo(left, y);
      pen.lineTo(left + width, y);
      pen.stroke();
      pen.restore();
    }
  };
})();
