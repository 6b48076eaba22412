// Asking the server.

import { hearDate } from './time.js';

// Refusal is an answer that is none. Its kind: "login", "forbidden", "" for all others.
export class Refusal extends Error {
	constructor(message, kind = '', status = 0) {
		super(message);
		Object.assign(this, { kind, status });
	}
}

// exact keeps numbers that JavaScript would round as they were written.
const exact = (_, value, context) => typeof value === 'number' && !Number.isSafeInteger(value) && /^-?\d+$/.test(context?.source) ? BigInt(context.source) : value;

export const parse = (text) => JSON.parse(text, exact);

const raw = (_, value) => typeof value !== 'bigint' ? value : JSON.rawJSON?.(String(value)) ?? String(value);

export const pretty = (value) => JSON.stringify(value, raw, 2);

let answeredBy = () => {};

export function onInstance(tell) { answeredBy = tell; }

// ask gives the answer's JSON. The API has no redirects: one leads to a login.
export async function ask(path, options) {
	const response = await fetch(path, { signal: AbortSignal.timeout(15000), redirect: 'manual', ...options }).catch(() => null);
	if (!response) throw new Refusal('no answer');
	if (response.type === 'opaqueredirect') throw new Refusal('the answer leads elsewhere, as to a login', 'login');
	const body = await response.text().catch(() => '');
	const { status } = response;
	const isJSON = /json/.test(response.headers.get('Content-Type'));
	let value;
	try {
		value = isJSON ? parse(body) : undefined;
	} catch { /* cut off */ }
	if (!response.ok) {
		const said = value ? [value.detail, value.title, value.message, value.error].find((said) => said && typeof said === 'string') : /^\s*</.test(body) ? '' : body.trim().slice(0, 300);
		const kind = status === 401 ? 'login' : status === 403 ? 'forbidden' : '';
		throw new Refusal(said || `${status} ${response.statusText}`.trim(), kind, status);
	}
	if (!isJSON && /html/.test(response.headers.get('Content-Type'))) throw new Refusal('a page came instead of data, as of a login', 'login', status);
	if (value === undefined) throw new Refusal('the answer cannot be read', '', status);
	hearDate(response.headers.get('Date'));
	answeredBy(response.headers.get('Background-Instance'));
	return value;
}

const pathOf = (folder, id) => `${folder}/${encodeURIComponent(id)}`;
export const taskURL = (id) => pathOf('tasks', id);
export const jobURL = (id) => pathOf('jobs', id);

// askOne gives null for what is not there. "." and ".." would be paths.
export async function askOne(folder, id) {
	return /^\.\.?$/.test(id) ? null : ask(pathOf(folder, id)).catch((err) => {
		if (err.status !== 404) throw err;
		return null;
	});
}

// paced gives a function that has work done soon, never twice at once, nor too often.
export function paced(every, work) {
	let timer, busy = false, again = false, last = -Infinity;
	const run = async () => {
		timer = undefined;
		last = performance.now();
		busy = true;
		await work().finally(() => { busy = false; });
		if (again) request();
		again = false;
	};
	const request = () => {
		if (busy) again = true;
		else timer ??= setTimeout(run, Math.max(0, last + every - performance.now()));
	};
	request.drop = () => {
		clearTimeout(timer);
		timer = undefined;
		again = false;
	};
	request.now = () => {
		request.drop();
		last = -Infinity;
		request();
	};
	return request;
}
