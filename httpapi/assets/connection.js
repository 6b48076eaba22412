// How current the page is, and whether one process answers.

import { $, setText, show } from './dom.js';
import { clock, freeze, now } from './time.js';
import { Refusal, onInstance } from './api.js';
import { live, retryNow } from './stream.js';
import { announce } from './notice.js';
import { go } from './app.js';
import { urlOf, view } from './view.js';

export const pollEvery = 5000; // milliseconds
let paused = false, pausedAt = 0, refusal = null, lastContact = 0, polls = false;

export const isPaused = () => paused;

export function setPaused(on) {
	paused = on;
	if (on) pausedAt = now();
	freeze(on ? pausedAt : 0);
	showConnection();
}

export function contact() {
	if (!paused) freeze(0);
	lastContact = now();
	if (!refusal) return;
	refusal = null;
	retryNow();
	showConnection();
}

export function trouble(err) {
	if (!(err instanceof Refusal)) throw err; // a mistake in this script
	if (err.status === 400 && view.page) return go(urlOf({})); // a bookmark of a page that is not there
	refusal = err;
	if (!paused) freeze(lastContact || now());
	showConnection();
}

export function setPolling() { polls = true; }

const modes = { login: 'Signed out', forbidden: 'Not allowed', '': 'Disconnected' };

export function showConnection() {
	const since = lastContact ? `, showing data from ${clock(lastContact)}` : '';
	const [mode, words] = paused ? ['paused', `Paused at ${clock(pausedAt)}`]
		: refusal ? ['lost', modes[refusal.kind]]
			: several ? ['mixed', 'Several replicas']
				: live ? ['live', 'Live']
					: polls ? ['polling', `Polling every ${pollEvery / 1000} s`] : ['connecting', 'Connecting…'];
	const box = $('connection');
	if (box.dataset.mode !== mode && (mode === 'lost' || box.dataset.mode === 'lost')) announce('connection', `${words}${refusal ? since : ''}.`);
	box.dataset.mode = mode;
	setText(box, words);
	showLost(mode, since);
	document.body.classList.toggle('stale', mode === 'lost' || paused);
}

function showLost(mode, since) {
	const kind = mode === 'lost' ? refusal.kind : null;
	const why = refusal && refusal.message !== 'no answer' ? `: ${refusal.message.replace(/\.$/, '')}` : '';
	show($('lost-text'), kind === null ? ''
		: kind === 'login' ? `You are signed out${why}${since}. Sign in again.`
			: kind ? `You may not view these tasks${why}. Sign in again, or ask for access.`
				: `Disconnected${since}${why}. Trying again every ${pollEvery / 1000} s.`);
	$('lost').hidden = kind === null;
	$('login').hidden = !kind;
	$('login').href = document.body.dataset.loginUrl || location.href; // a page of its own, or whatever stands before this one
}

const instances = [];
let several = false, dismissed = '';

// noteInstance knows that there are several processes when one answers again after another.
export function noteInstance(instance) {
	if (!instance || instance === instances.at(-1)) return;
	const before = instances.indexOf(instance);
	if (before >= 0) {
		several = true;
		instances.splice(before, 1);
	}
	instances.push(instance);
	showInstances();
	showConnection();
}

function showInstances() {
	const kind = several ? 'several' : instances.length > 1 ? 'another' : '';
	const names = instances.map((instance) => instance.slice(0, 8)).toSorted().join(', ');
	$('replicas').hidden = !kind || dismissed === kind;
	setText($('replicas').firstElementChild, several
		? `You are looking at several replicas: ${names}. Each knows of its own tasks only, and a cancel may reach the wrong one. Use sticky sessions, or durable jobs.`
		: `Another process answers (${names}): after a restart, or you are looking at several replicas.`);
	$('replicas').dataset.kind = kind;
}

onInstance(noteInstance);
$('replicas').querySelector('button').addEventListener('click', () => {
	dismissed = $('replicas').dataset.kind;
	showInstances();
});
