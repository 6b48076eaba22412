// The server's time: from Date headers, and between them from performance.now, since this machine's
// clock may be set while the page is open.

const driftLimit = 2000; // milliseconds
let offset = Date.now() - performance.now();
let drift = offset; // between the two clocks of this machine, as seen last
let frozenAt = 0; // 0: it runs

export const now = () => frozenAt || performance.now() + offset;

// freeze lets time stand still; 0 lets it go on.
export function freeze(at) { frozenAt = at; }

// hearDate takes in a Date header, which has whole seconds.
export function hearDate(date) {
	const told = Date.parse(date) + 500 - performance.now();
	if (Math.abs(told - offset) > driftLimit) offset = told;
}

// hasDrifted says, once, that a clock was set or that the machine has slept.
export function hasDrifted() {
	const before = drift;
	drift = Date.now() - performance.now();
	if (Math.abs(drift - before) <= driftLimit) {
		drift = before;
		return false;
	}
	return true;
}

const format = (options) => new Intl.DateTimeFormat(undefined, { hourCycle: 'h23', hour: '2-digit', minute: '2-digit', ...options });
export const minutes = format({});
const seconds = format({ second: '2-digit' }), withDay = format({ second: '2-digit', month: 'short', day: 'numeric' });

export function clock(at) {
	const time = new Date(at);
	return (time.toDateString() === new Date(now()).toDateString() ? seconds : withDay).format(time);
}

// localTime gives a point of time as fields take it.
export const localTime = (at) => at && new Date(Date.parse(at) - new Date(at).getTimezoneOffset() * 60000).toISOString().slice(0, 16);

export const secondsSince = (at) => (now() - Date.parse(at)) / 1000;

export function span(seconds, exact) {
	const s = Math.max(0, seconds);
	if (exact && s < 1) return s < 0.001 ? '< 1 ms' : `${Math.round(s * 1000)} ms`;
	if (exact && s < 60) return `${s.toFixed(1)} s`;
	const part = (length, wrap = Infinity) => Math.floor(s / length) % wrap;
	if (s < 60) return `${part(1)} s`;
	if (s < 3600) return `${part(60)} m ${part(1, 60)} s`;
	if (s < 86400) return `${part(3600)} h ${part(60, 60)} m`;
	return `${part(86400)} d ${part(3600, 24)} h`;
}

export const number = (n) => n.toLocaleString();
export const plural = (n, noun) => `${number(n)} ${noun}${n === 1 ? '' : 's'}`;
