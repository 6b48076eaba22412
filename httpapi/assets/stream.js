// The event stream. Windows share one, since HTTP/1.1 leaves a browser six connections: who holds the
// lock reads it and tells the others. On plain http there are no locks, and each has its own.

const place = new URL('events', location.href).href;
const quietLimit = 35000, takeOverAfter = 50000, tellEvery = 10000; // milliseconds; a ping comes every 15 s
const firstDelay = 5000, longestDelay = 300000; // until it is tried again after a refusal
const kinds = ['task', 'progress', 'stats', 'reset', 'ping'];

export let live = false; // events come
let handlers = {};
let wanted = false, source = null, channel = null, holding = null;
let heardAt = 0, toldAt = 0, retryAt = Infinity, delay = firstDelay;

export function onStream(all) { handlers = all; }

export function connect() {
	disconnect();
	wanted = true;
	heardAt = performance.now();
	if (!navigator.locks) return open();
	channel = new BroadcastChannel(place);
	channel.onmessage = ({ data: { kind, text } }) => {
		if (kind !== 'hello') take(kind, text);
		else if (source && live) tell('ping', '{}');
	};
	tell('hello');
	hold(false);
}

export function disconnect() {
	wanted = live = false;
	close();
	holding?.abort();
	channel?.close();
	holding = channel = null;
}

function close() {
	source?.close();
	source = null;
	retryAt = Infinity;
}

// hold waits for the lock, or takes it from a window that has gone silent.
function hold(steal) {
	const mine = holding = new AbortController();
	navigator.locks.request(place, steal ? { steal } : { signal: mine.signal }, () => new Promise((release) => {
		if (mine.signal.aborted) return release();
		mine.signal.addEventListener('abort', release);
		open();
	})).catch(() => {
		if (mine !== holding) return;
		close(); // another window has taken it
		hold(false);
	});
}

function open() {
	close();
	heardAt = performance.now();
	live = false; // nobody heard what came since the last event: all windows fetch again with the first one
	tell('anew');
	source = new EventSource('events');
	for (const kind of kinds) {
		source.addEventListener(kind, ({ data }) => {
			take(kind, data);
			tell(kind, data);
		});
	}
	source.onerror = () => {
		if (source.readyState === EventSource.CLOSED) retryLater(); // the browser does not try again by itself
		lose();
		tell('lost');
	};
}

function retryLater() {
	retryAt = performance.now() + delay;
	delay = Math.min(2 * delay, longestDelay);
}

export function retryNow() {
	if (retryAt < Infinity) retryAt = 0;
	delay = firstDelay;
}

function tell(kind, text) {
	toldAt = performance.now();
	channel?.postMessage({ kind, text });
}

// take takes in an event. A connection without any is not live: a proxy may hold all back.
function take(kind, text) {
	if (kind === 'lost') return lose();
	if (kind === 'anew') {
		live = false;
		return;
	}
	heardAt = performance.now();
	delay = firstDelay;
	if (!live) {
		live = true;
		handlers.opened();
	}
	handlers[kind]?.(text);
}

function lose() {
	heardAt = performance.now();
	live = false;
	handlers.lost();
}

export function tickStream() {
	if (!wanted) return;
	const time = performance.now(), quiet = time - heardAt;
	if (source && quiet > quietLimit) {
		lose();
		tell('lost');
		open();
	} else if (source && time > retryAt) {
		open();
	} else if (source && !live && time - toldAt > tellEvery) {
		tell('lost'); // the others shall not think that this window is gone
	} else if (!source && live && quiet > quietLimit) {
		live = false;
		handlers.lost();
	} else if (!source && quiet > takeOverAfter) {
		heardAt = time;
		holding?.abort();
		hold(true);
	}
}
