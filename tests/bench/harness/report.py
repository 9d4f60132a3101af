# SPDX-License-Identifier: Apache-2.0
"""From figures of rounds to rows, and from rows to the table of goals."""
import statistics

RATIOS = ("mpps", "cycles", "added", "x_io")


def compare(case, figures, baseline, mhz):
    """Adds cycles a frame, and what they are against the device that forwards without looking, in the same round."""
    if "mpps" not in figures or not figures["mpps"]:
        return
    figures["cycles"] = mhz / figures["mpps"]
    if baseline and baseline.get("mpps") and case.kind in ("memif", "pcap", "veth"):
        figures["added"] = figures["cycles"] - mhz / baseline["mpps"]
        figures["x_io"] = figures["mpps"] / baseline["mpps"]
    if baseline and "p50_us" in figures and "p50_us" in baseline:
        figures["added_p50_us"] = figures["p50_us"] - baseline["p50_us"]


def middle_of(values):
    if isinstance(values[0], dict):
        return {key: middle_of([v[key] for v in values if key in v]) for key in values[0]}
    return round(statistics.median(values), 3)


def rows_of(results):
    """One row a case and device under test: medians over the rounds, but sums of what must not happen."""
    for (case, dut), rounds in results.items():
        row = {"case": case, "dut": dut}
        for key in rounds[0]:
            values = [r[key] for r in rounds if key in r]
            row[key] = sum(values) if key in ("lost", "wrong", "swaps", "ring_full", "either") else middle_of(values)
        for key in (*RATIOS, "lost", "wrong"):
            row.setdefault(key, None)
        if "mpps" in rounds[0] and row["mpps"]:
            rates = [r["mpps"] for r in rounds]
            row["spread"] = round((max(rates) - min(rates)) / row["mpps"], 3)
        if dut == "io":
            row["lost"] = row["wrong"] = None
        yield {**row, "rounds": len(rounds)}


def show(value, digits):
    return "-" if value is None else f"{value:.{digits}f}"


def table(rows):
    lines = [f"{'case':<20}{'dut':<14}{'Mpps':>8}{'cycles':>9}{'added':>9}{'x io':>7}{'spread':>8}{'lost':>8}{'wrong':>7}"]
    known = {"case", "dut", "spread", "lost", "wrong", "rounds", "backpressure", *RATIOS}
    for row in rows:
        spread = f"{row['spread']:.0%}" if row.get("spread") is not None else "-"
        lines.append(f"{row['case']:<20}{row['dut']:<14}{show(row['mpps'], 2):>8}{show(row['cycles'], 1):>9}"
                     f"{show(row['added'], 1):>9}{show(row['x_io'], 2):>7}{spread:>8}{show(row['lost'], 0):>8}"
                     f"{show(row['wrong'], 0):>7}")
        for key, value in row.items():
            if key not in known:
                lines.append(f"{'':<20}{key}: {value}")
    return "\n".join(lines)


def stage_table(rows):
    """Cycles a frame by stage, as bench-stages tells them: a column a kind of traffic."""
    found = [row for row in rows if row["case"] == "stages"]
    if not found:
        return []
    columns = {key: value for key, value in found[0].items() if isinstance(value, dict)}
    stages = sorted({stage for column in columns.values() for stage in column})
    lines = ["", "| cycles a frame in | " + " | ".join(columns) + " |", "|---|" + "---|" * len(columns)]
    for stage in stages:
        cells = [show(column.get(stage), 0) for column in columns.values()]
        lines.append(f"| {stage} | " + " | ".join(cells) + " |")
    return lines


class Rows:
    def __init__(self, rows):
        self.rows = {(row["case"], row["dut"]): row for row in rows}

    def get(self, case, key, dut="cordon"):
        return self.rows.get((case, dut), {}).get(key)


def at_least(value, goal):
    return None if value is None else value >= goal


def at_most(value, goal):
    return None if value is None else value <= goal


def slower(rows, slow, fast):
    """By how much the rate of one case lies below that of another."""
    a, b = rows.get(slow, "mpps"), rows.get(fast, "mpps")
    return None if not a or not b else max(0.0, 1 - a / b)


def peers(rows, case, key, *names):
    said = [f"{name} {rows.get(case, key, name):.{2 if key == 'x_io' else 0}f}" for name in names
            if rows.get(case, key, name) is not None]
    return ", ".join(said)


def percent(value):
    return None if value is None else f"{value:.0%}"


def number(value, unit="", digits=0):
    return None if value is None else f"{value:.{digits}f}{unit}"


def goals(rows):
    """(what, goal, measured, met, peers) of every goal; measured None: not measured."""
    get = rows.get

    def share(case, goal, *names):
        value = get(case, "x_io")
        return (f"{case}: share of bare io forwarding", f">= {goal:.0%}", percent(value), at_least(value, goal),
                peers(rows, case, "x_io", *names))

    def added(case, goal, *names):
        value = get(case, "added")
        return (f"{case}: cycles added over io", f"<= {goal}", number(value), at_most(value, goal),
                peers(rows, case, "added", *names))

    def pipeline(key, what, goal):
        value = get("pipeline", key)
        return (f"{what}: cycles between Receive and Transmit", f"<= {goal}", number(value), at_most(value, goal), "")

    def growth(slow, fast, what, goal):
        value = slower(rows, slow, fast)
        return (f"growth, {what}: rate lost", f"<= {goal:.0%}", percent(value), at_most(value, goal), "")

    def push(key, what, goal, unit, digits=0):
        value = get("policy-push", key)
        return (f"640,000 rules: {what}", f"<= {goal} {unit}", number(value, f" {unit}", digits), at_most(value, goal), "")

    deny, permit = get("memif-refused", "mpps"), get("memif-10k", "mpps")
    flood = None if not deny or not permit else deny / permit
    flows = get("new-flows", "mpps")
    lost, full = get("policy-swap", "lost"), get("policy-swap", "ring_full")
    misjudged, wrong = get("policy-push", "wrong"), get("policy-swap", "wrong")
    bad = None if lost is None else lost + (misjudged or 0) + (wrong or 0)
    said = None if bad is None else f"{lost} lost ({full:.0f} of them to a full ring), {(misjudged or 0) + (wrong or 0)} misjudged"
    free, delay = get("loss-free", "share"), get("latency-1mpps", "added_p50_us")
    return [
        share("memif-10k", 0.75, "rte-hash-acl", "rte-acl", "ovs", "ovs-ct"),
        share("memif-1m", 0.60, "rte-hash-acl"),
        added("pcap-1k", 45),
        added("pcap-10k", 45, "rte-hash-acl", "rte-acl"),
        added("pcap-1m", 95, "rte-hash-acl", "rte-acl"),
        added("pcap-refused", 70, "rte-acl"),
        added("pcap-refused-640k", 160),
        pipeline("new-v4-10000", "new flows, 16,000 rules", 70),
        pipeline("new-v4-100000-640k", "new flows, 640,000 rules", 160),
        ("new flows a second", ">= 3 million", number(flows, " million", 2), at_least(flows, 3),
         peers(rows, "new-flows", "mpps", "rte-hash-acl")),
        ("deny flood: rate against permitted traffic", ">= 100%", percent(flood), at_least(flood, 1.0), ""),
        growth("memif-640k-rules", "memif-100k", "16 k to 640 k rules", 0.10),
        growth("memif-100k-devices", "memif-10-devices", "10 to 100,000 devices", 0.15),
        growth("memif-100k", "memif-1k", "1,000 to 100,000 flows", 0.25),
        growth("memif-4m", "memif-1k", "1,000 to 4,000,000 flows", 0.45),
        push("compile_ms", "compile", 100, "ms"),
        push("publish_ms", "publish", 100, "ms", 2),
        push("peak_mb", "memory taken meanwhile", 150, "MB"),
        push("one_device_ms", "one device changed", 1, "ms", 2),
        ("swaps between two policies at 80 % load", "0 lost, 0 misjudged", said, None if bad is None else bad == 0, ""),
        ("loss-free rate against saturated", ">= 90%", percent(free), at_least(free, 0.9), ""),
        ("median delay added over io at 1 Mpps", "<= 2 us", number(delay, " us", 2), at_most(delay, 2),
         f"p99 {number(get('latency-1mpps', 'p99_us'), ' us', 1)}, io {number(get('latency-1mpps', 'p99_us', 'io'), ' us', 1)}"
         if delay is not None else ""),
    ]


def markdown(rows, machine, rounds):
    lines = [f"{machine}; {rounds}.", "", "| what | goal | measured | met | peers |", "|---|---|---|---|---|"]
    for what, goal, measured, met, others in goals(Rows(rows)):
        verdict = "not measured" if measured is None else "yes" if met else "no"
        lines.append(f"| {what} | {goal} | {measured or '-'} | {verdict} | {others or '-'} |")
    lines += ["", "| case | device under test | Mpps | cycles | added | share of io | spread | lost | wrong |",
              "|---|---|---|---|---|---|---|---|---|"]
    for row in rows:
        if row["mpps"] is None:
            continue
        spread = f"{row['spread']:.0%}" if row.get("spread") is not None else "-"
        lines.append(f"| {row['case']} | {row['dut']} | {show(row['mpps'], 2)} | {show(row['cycles'], 0)} | "
                     f"{show(row['added'], 0)} | {show(row['x_io'], 2)} | {spread} | {show(row['lost'], 0)} | "
                     f"{show(row['wrong'], 0)} |")
    return "\n".join(lines + stage_table(rows))
