/// What makes slices browsable on a report: the only script of a page, known to its content security policy by its digest.
enum ViewerScript {
    static let text = #"""
        "use strict";
        const unpack = async (id, length) => {
          const text = document.getElementById(id).textContent;
          const raw = Uint8Array.from(atob(text), c => c.charCodeAt(0));
          const stream = new Blob([raw]).stream().pipeThrough(new DecompressionStream("deflate-raw"));
          const bytes = new Uint8Array(await new Response(stream).arrayBuffer());
          if (bytes.length !== length) throw new Error("a slice of " + bytes.length + " bytes");
          return bytes;
        };
        const clamp = (value, low, high) => Math.min(Math.max(value, low), high);
        const number = value => Math.abs(value) >= 100 ? value.toFixed(0) : Math.abs(value) >= 1 ? value.toFixed(1) : value.toPrecision(2);

        class Viewer {
          constructor(element) {
            this.element = element;
            this.id = element.dataset.id;
            this.meta = JSON.parse(document.getElementById("m" + this.id).textContent);
            this.at = this.meta.start;
            this.values = new Map();
            this.masks = new Map();
            this.zoom = 1; this.dx = 0; this.dy = 0;
            this.opacity = 0.3; this.outline = true; this.both = false; this.drawn = true;
            this.shown = this.meta.segments.map(() => true);
            this.tool = "window";
            this.canvas = element.querySelector("canvas");
            this.picture = document.createElement("canvas");
            this.picture.width = this.meta.columns; this.picture.height = this.meta.rows;
            this.overlay = document.createElement("canvas");
            this.overlay.width = this.meta.columns; this.overlay.height = this.meta.rows;
            this.pixels = new ImageData(this.meta.columns, this.meta.rows);
            this.control();
            this.go(this.at);
            new ResizeObserver(() => this.draw()).observe(this.canvas);
          }
          q(name) { return this.element.querySelector("[data-do=" + name + "]"); }

          // Reading slices
          async load(at) {
            if (this.values.has(at)) return;
            const {rows, columns, isColor, shift} = this.meta, count = rows * columns;
            const bytes = await unpack("p" + this.id + "-" + at, count * (isColor ? 3 : 2));
            let values;
            if (isColor) {
              values = bytes;
              for (let row = 0; row < rows; row++) {
                for (let i = (row * columns + 1) * 3; i < (row + 1) * columns * 3; i++) values[i] = values[i] + values[i - 3];
              }
            } else {
              values = new Int16Array(count);
              let last = 0;
              for (let i = 0; i < count; i++) {
                const folded = bytes[i] | bytes[count + i] << 8;
                last = ((i % columns ? last : 0) + ((folded >>> 1) ^ -(folded & 1))) << 16 >> 16;
                values[i] = shift ? (last << shift) + (1 << shift - 1) : last;
              }
            }
            // The segment, and where its objects touch: behind which pixels another one begins, to the right and below.
            const masks = [], right = [], below = [];
            for (let s = 0; s < this.meta.segments.length; s++) {
              for (const [kind, list] of [["k", masks], ["r", right], ["b", below]]) {
                const name = kind + this.id + "-" + at + "-" + s;
                list.push(document.getElementById(name) ? await unpack(name, Math.ceil(count / 8)) : null);
              }
            }
            if (this.values.size > 24) {
              const oldest = this.values.keys().next().value;
              this.values.delete(oldest); this.masks.delete(oldest);
            }
            this.values.set(at, values); this.masks.set(at, {bits: masks, right, below, paths: []});
          }
          async go(at) {
            at = clamp(at, 0, this.meta.slices.length - 1);
            this.wanted = at;
            await this.load(at);
            if (this.wanted !== at) return;
            this.at = at;
            if (!this.window) this.setWindow(this.meta.windows[0] || this.auto());
            this.paint(); this.mark(); this.draw(); this.tell();
            this.element.dataset.shown = at;
            for (const next of [at + 1, at - 1]) if (next >= 0 && next < this.meta.slices.length) this.load(next);
          }
          auto() {
            const values = this.values.get(this.at), {slope, intercept} = this.meta.slices[this.at], sample = [];
            for (let i = 0; i < values.length; i += Math.max(1, values.length >> 13)) sample.push(values[i] * slope + intercept);
            sample.sort((a, b) => a - b);
            const low = sample[sample.length * 0.005 | 0], high = sample[Math.min(sample.length - 1, sample.length * 0.995 | 0)];
            return {center: (low + high) / 2, width: Math.max(high - low, 1e-9)};
          }
          setWindow(window) { this.window = {center: window.center, width: Math.max(window.width, 1e-9)}; }

          // The picture and the segments, pixel by pixel
          paint() {
            const values = this.values.get(this.at), data = this.pixels.data;
            if (this.meta.isColor) {
              for (let i = 0, o = 0; i < values.length; i += 3, o += 4) {
                data[o] = values[i]; data[o + 1] = values[i + 1]; data[o + 2] = values[i + 2]; data[o + 3] = 255;
              }
            } else {
              const {slope, intercept} = this.meta.slices[this.at], {center, width} = this.window;
              const scale = 255 / width * slope, start = (intercept - center + width / 2) * 255 / width, inverted = this.meta.inverted;
              for (let i = 0, o = 0; i < values.length; i++, o += 4) {
                let level = values[i] * scale + start;
                level = level < 0 ? 0 : level > 255 ? 255 : level;
                data[o] = data[o + 1] = data[o + 2] = inverted ? 255 - level : level; data[o + 3] = 255;
              }
            }
            this.picture.getContext("2d").putImageData(this.pixels, 0, 0);
          }
          inside(bits, x, y) {
            const {rows, columns} = this.meta;
            if (x < 0 || y < 0 || x >= columns || y >= rows) return false;
            const i = y * columns + x;
            return bits[i >> 3] >> (i & 7) & 1;
          }
          mark() {
            const {rows, columns, segments} = this.meta, image = new ImageData(columns, rows), data = image.data;
            const {bits} = this.masks.get(this.at);
            segments.forEach((segment, s) => {
              if (!bits[s] || !this.shown[s]) return;
              const [r, g, b] = segment.color;
              for (let i = 0; i < rows * columns; i++) if (bits[s][i >> 3] >> (i & 7) & 1) {
                data[i * 4] = r; data[i * 4 + 1] = g; data[i * 4 + 2] = b; data[i * 4 + 3] = 255;
              }
            });
            this.overlay.getContext("2d").putImageData(image, 0, 0);
          }
          path(s) {
            const found = this.masks.get(this.at), {rows, columns} = this.meta;
            if (!found.paths[s]) {
              const path = new Path2D(), bits = found.bits[s], right = found.right[s], below = found.below[s];
              for (let y = 0; y < rows; y++) for (let x = 0; x < columns; x++) if (this.inside(bits, x, y)) {
                if (!this.inside(bits, x, y - 1)) { path.moveTo(x, y); path.lineTo(x + 1, y); }
                if (!this.inside(bits, x, y + 1) || below && this.inside(below, x, y)) { path.moveTo(x, y + 1); path.lineTo(x + 1, y + 1); }
                if (!this.inside(bits, x - 1, y)) { path.moveTo(x, y); path.lineTo(x, y + 1); }
                if (!this.inside(bits, x + 1, y) || right && this.inside(right, x, y)) { path.moveTo(x + 1, y); path.lineTo(x + 1, y + 1); }
              }
              found.paths[s] = path;
            }
            return found.paths[s];
          }

          // What a person sees
          place(width, height) {
            const {rows, columns, aspect} = this.meta;
            const scale = Math.min(width / columns, height / (rows * aspect)) * this.zoom;
            return {scale, sy: scale * aspect, x: (width - columns * scale) / 2 + this.dx, y: (height - rows * scale * aspect) / 2 + this.dy};
          }
          // Two pictures lie along the longer side.
          pane(width, height) {
            if (!this.both) return [width, height];
            return width >= height ? [width / 2, height] : [width, height / 2];
          }
          draw() {
            const ratio = window.devicePixelRatio || 1, canvas = this.canvas;
            const width = canvas.clientWidth, height = canvas.clientHeight;
            if (!width || !this.masks.has(this.at)) return;
            canvas.width = width * ratio; canvas.height = height * ratio;
            const context = canvas.getContext("2d"), panes = this.both ? [false, true] : [true];
            panes.forEach((drawn, pane) => {
              const [w, h] = this.pane(width, height), left = w < width ? pane * w : 0, top = h < height ? pane * h : 0, at = this.place(w, h);
              context.save();
              context.setTransform(ratio, 0, 0, ratio, 0, 0);
              context.beginPath(); context.rect(left, top, w, h); context.clip();
              context.fillStyle = "#000"; context.fillRect(left, top, w, h);
              context.translate(left + at.x, top + at.y); context.scale(at.scale, at.sy);
              context.imageSmoothingEnabled = at.scale < 3;
              context.drawImage(this.picture, 0, 0);
              if (drawn && this.drawn) {
                context.imageSmoothingEnabled = false;
                context.globalAlpha = this.opacity; context.drawImage(this.overlay, 0, 0); context.globalAlpha = 1;
                if (this.outline) this.meta.segments.forEach((segment, s) => {
                  if (!this.shown[s] || !this.masks.get(this.at).bits[s]) return;
                  context.strokeStyle = "rgb(" + segment.color + ")"; context.lineWidth = 1.6 / at.scale;
                  context.stroke(this.path(s));
                });
              }
              context.restore();
              context.save(); context.setTransform(ratio, 0, 0, ratio, 0, 0); context.translate(left, top);
              this.write(context, w, h, at);
              context.restore();
            });
          }
          write(context, width, height, at) {
            const text = (words, x, y, align, base) => {
              context.textAlign = align; context.textBaseline = base; context.font = "600 13px system-ui, sans-serif";
              context.strokeStyle = "rgba(0,0,0,.8)"; context.lineWidth = 3; context.strokeText(words, x, y);
              context.fillStyle = "#fff"; context.fillText(words, x, y);
            };
            const sides = this.meta.sides;
            if (sides) {
              text(sides[0], 8, height / 2, "left", "middle"); text(sides[1], width - 8, height / 2, "right", "middle");
              text(sides[2], width / 2, 8, "center", "top"); text(sides[3], width / 2, height - 8, "center", "bottom");
            }
            const spacing = this.meta.spacing;
            if (spacing) {
              const perMM = at.scale / spacing[1], wanted = width / 4 / perMM;
              const power = Math.pow(10, Math.floor(Math.log10(wanted)));
              const length = [5, 2, 1].map(step => step * power).find(value => value <= wanted) || power;
              const pixels = length * perMM, unit = length >= 10 ? length / 10 + " cm" : length >= 0.1 ? +length.toPrecision(1) + " mm" : +(length * 1000).toPrecision(1) + " µm";
              context.fillStyle = "#fff"; context.strokeStyle = "rgba(0,0,0,.8)"; context.lineWidth = 1;
              context.strokeRect(9.5, height - 12.5, pixels + 1, 5); context.fillRect(10, height - 12, pixels, 4);
              text(unit, 10, height - 16, "left", "bottom");
            }
          }
          tell() {
            const slice = this.meta.slices[this.at];
            if (this.q("slice")) {
              this.q("slice").value = this.at;
              this.q("count").textContent = (slice.frame + 1) + " / " + this.meta.frames;
            }
            const box = this.q("center");
            if (box && this.window) { box.value = +number(this.window.center); this.q("width").value = +number(this.window.width); }
          }
          point(event) {
            const box = this.canvas.getBoundingClientRect(), [width, height] = this.pane(box.width, box.height);
            const at = this.place(width, height), x = (event.clientX - box.left) % width, y = (event.clientY - box.top) % height;
            return [Math.floor((x - at.x) / at.scale), Math.floor((y - at.y) / at.sy)];
          }
          hover(event) {
            const [x, y] = this.point(event), {rows, columns, isColor, unit, reduction} = this.meta, values = this.values.get(this.at);
            let words = "";
            if (values && x >= 0 && y >= 0 && x < columns && y < rows) {
              const i = y * columns + x, {slope, intercept} = this.meta.slices[this.at];
              words = "column " + x * reduction + ", row " + y * reduction + ": " +
                (isColor ? Array.from(values.slice(i * 3, i * 3 + 3)).join(" ") : number(values[i] * slope + intercept) + (unit ? " " + unit : ""));
              const names = this.meta.segments.filter((_, s) => this.masks.get(this.at).bits[s] && this.inside(this.masks.get(this.at).bits[s], x, y));
              if (names.length) words += " · " + names.map(one => one.label).join(", ");
            }
            this.q("readout").textContent = words;
          }

          // What a person does
          control() {
            const on = (name, event, act) => { const one = this.q(name); if (one) one.addEventListener(event, act); };
            on("slice", "input", event => this.go(+event.target.value));
            on("opacity", "input", event => { this.opacity = event.target.value / 100; this.draw(); });
            on("outline", "click", () => this.toggle("outline"));
            on("both", "click", () => this.toggle("both"));
            on("drawn", "click", () => this.toggle("drawn"));
            on("reset", "click", () => this.reset());
            on("preset", "change", event => this.preset(event.target.selectedIndex));
            for (const name of ["center", "width"]) on(name, "change", () => {
              this.setWindow({center: +this.q("center").value, width: +this.q("width").value}); this.refresh();
            });
            for (const tool of ["window", "pan"]) on("tool-" + tool, "click", () => this.choose(tool));
            this.element.querySelectorAll("[data-segment]").forEach(box => box.addEventListener("change", () => {
              this.shown[+box.dataset.segment] = box.checked; this.mark(); this.draw();
            }));
            this.canvas.addEventListener("wheel", event => {
              event.preventDefault();
              if (event.ctrlKey || this.meta.slices.length === 1) this.enlarge(event.deltaY < 0 ? 1.15 : 1 / 1.15);
              else this.go(this.wanted + Math.sign(event.deltaY));
            }, {passive: false});
            this.pointers = new Map();
            this.canvas.addEventListener("pointerdown", event => {
              this.element.focus({preventScroll: true});
              this.canvas.setPointerCapture(event.pointerId);
              this.pointers.set(event.pointerId, [event.clientX, event.clientY]); this.travelled = 0;
            });
            this.canvas.addEventListener("pointermove", event => this.move(event));
            for (const end of ["pointerup", "pointercancel"]) this.canvas.addEventListener(end, event => this.pointers.delete(event.pointerId));
            this.canvas.addEventListener("contextmenu", event => event.preventDefault());
            this.element.addEventListener("keydown", event => this.key(event));
          }
          move(event) {
            const before = this.pointers.get(event.pointerId);
            if (!before) { if (event.pointerType === "mouse") this.hover(event); return; }
            const dx = event.clientX - before[0], dy = event.clientY - before[1];
            if (this.pointers.size === 2) {
              const other = [...this.pointers].find(([id]) => id !== event.pointerId)[1];
              const far = (a, b) => Math.hypot(a[0] - b[0], a[1] - b[1]);
              this.enlarge(far([event.clientX, event.clientY], other) / Math.max(1, far(before, other)));
              this.dx += dx / 2; this.dy += dy / 2;
            } else if (event.pointerType === "touch" && this.zoom === 1 && this.meta.slices.length > 1) {
              this.travelled += dy;
              const step = Math.trunc(this.travelled / 12);
              if (step) { this.travelled -= step * 12; this.go(this.wanted + step); }
            } else if (this.tool === "pan" || event.shiftKey || event.buttons & 4 || this.meta.isColor || event.pointerType === "touch") {
              this.dx += dx; this.dy += dy;
            } else if (this.window) {
              const step = Math.max(this.window.width, 1e-9) / 300;
              this.setWindow({center: this.window.center + dy * step, width: Math.max(this.window.width + dx * step * 2, step)});
              this.paint(); this.tell();
            }
            this.pointers.set(event.pointerId, [event.clientX, event.clientY]);
            this.draw();
          }
          refresh() { this.paint(); this.draw(); this.tell(); }
          enlarge(factor) {
            const next = clamp(this.zoom * factor, 1, 32), change = next / this.zoom;
            this.zoom = next; this.dx *= change; this.dy *= change;
            if (next === 1) { this.dx = 0; this.dy = 0; }
            this.draw();
          }
          reset() { this.zoom = 1; this.dx = 0; this.dy = 0; if (!this.meta.isColor) { this.preset(0); } this.draw(); }
          preset(index) {
            const list = this.q("preset");
            if (!list) return;
            list.selectedIndex = index;
            this.setWindow(this.meta.windows[index] || this.auto());
            this.refresh();
          }
          toggle(name) {
            this[name] = !this[name];
            const button = this.q(name);
            if (button) button.setAttribute("aria-pressed", this[name]);
            this.draw();
          }
          choose(tool) {
            this.tool = tool;
            for (const one of ["window", "pan"]) { const button = this.q("tool-" + one); if (button) button.setAttribute("aria-pressed", one === tool); }
          }
          key(event) {
            if (event.ctrlKey || event.altKey || event.metaKey || /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName) && event.target.type !== "checkbox" && event.target.type !== "range") return;
            const step = {ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1, PageDown: 10, PageUp: -10}[event.key];
            if (step) this.go(this.wanted + step);
            else if (event.key === "Home") this.go(0);
            else if (event.key === "End") this.go(this.meta.slices.length - 1);
            else if (event.key === "+" || event.key === "=") this.enlarge(1.25);
            else if (event.key === "-") this.enlarge(0.8);
            else if (event.key === "0") this.reset();
            else if (event.key === "o") this.toggle("outline");
            else if (event.key === "s") this.toggle("both");
            else if (event.key === " ") this.toggle("drawn");
            else if (event.key === "w") { const list = this.q("preset"); if (list) this.preset((list.selectedIndex + 1) % list.options.length); }
            else if (event.key === "y" || event.key === "n") review(this.element.closest("section"), event.key === "y" ? "yes" : "no");
            else if (/^[1-9]$/.test(event.key)) {
              const box = this.element.querySelector("[data-segment='" + (event.key - 1) + "']");
              if (box) box.click();
            } else return;
            event.preventDefault();
          }
        }

        function review(section, verdict) {
          const box = section.querySelector(".review");
          if (!box) return;
          box.dataset.verdict = verdict;
          for (const button of box.querySelectorAll("[data-verdict-of]")) button.setAttribute("aria-pressed", button.dataset.verdictOf === verdict);
          box.querySelector(".said").textContent = verdict === "yes" ? "You said: yes, usable. Save it to keep it." : "You said: no. Save it to keep it.";
        }
        function save(box) {
          const record = {
            version: 1, study: document.body.dataset.study, study_key: document.body.dataset.key || null, result: box.dataset.result,
            pipeline: box.dataset.pipeline, verdict: box.dataset.verdict || null, comment: box.querySelector("textarea").value,
            reviewed: new Date().toISOString(),
          };
          const link = document.createElement("a");
          link.href = URL.createObjectURL(new Blob([JSON.stringify(record, null, 2) + "\n"], {type: "application/json"}));
          link.download = "review-" + record.study + "-" + record.pipeline + ".json";
          link.click();
          setTimeout(() => URL.revokeObjectURL(link.href), 1000);
        }
        for (const box of document.querySelectorAll(".review")) {
          for (const button of box.querySelectorAll("[data-verdict-of]"))
            button.addEventListener("click", () => review(box.closest("section"), button.dataset.verdictOf));
          box.querySelector(".save").addEventListener("click", () => save(box));
        }
        // In the service's outbox a study's folder holds one for each result.
        const back = document.querySelector("[data-back]");
        if (back && /\/[0-9a-f]{12}\/[0-9a-f]{8}\/report\.html$/.test(location.pathname)) back.href = "../../index.html";
        window.viewers = [];
        for (const element of document.querySelectorAll(".viewer")) {
          element.hidden = false;
          window.viewers.push(new Viewer(element));
        }
        """#
}
