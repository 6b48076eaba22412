// The dashboard: what the user, the clock and the stream bring.

import { $, icon, setText, show } from './dom.js';
import { hasDrifted, localTime } from './time.js';
import { parse } from './api.js';
import { readView, time, urlOf, view } from './view.js';
import { isPaused, pollEvery, setPaused, setPolling, showConnection } from './connection.js';
import { connect, disconnect, live, onStream, tickStream } from './stream.js';
import { patch, patchProgress, reload, showSections, tickLists } from './lists.js';
import { loadStats, showStats } from './stats.js';
import { loadHistory } from './history.js';
import { loadFailures } from './failures.js';
import { loadSchedules, tickSchedules } from './schedules.js';
import { loadJobs, showJobs, tickJobs } from './jobs.js';
import { drawPanel, showPanel } from './panel.js';
import './cancel.js';

const sideEvery = 15000; // milliseconds: the hour moves on, also when nothing happens
let lastPoll = 0, lastSide = 0, lastJobs = 0;

export function go(url, state = {}) {
	history[new URL(url, location).href === location.href ? 'replaceState' : 'pushState'](state, '', url);
	route();
}

function route() {
	readView();
	$('q').value = view.q;
	$('range').value = view.range || (view.from || view.to ? 'between' : '');
	$('between').hidden = $('range').value !== 'between';
	for (const end of ['from', 'to']) $(end).value = localTime(view[end]);
	show($('only'), [view.name, view.group && `group ${view.group}`].filter(Boolean).map((word) => word + ' ×').join(' '));
	$('only').href = urlOf({ name: '', group: '' });
	$('clear').hidden = !view.filtered && !view.jobs;
	for (const link of $('tiles').children) {
		link.href = urlOf({ status: link.dataset.status, jobs: '' });
		link.ariaCurrent = link.dataset.status === view.status && !view.jobs ? 'page' : null;
	}
	$('columns').classList.toggle('narrowed', view.filtered || !!view.page || !!view.jobs);
	showSections();
	showJobs();
	showPanel();
	reload.now();
	loadJobs.now();
	loadSide(); // its links go from the present view
}

function loadSide() {
	lastSide = performance.now();
	if (view.filtered || view.page || view.jobs) return; // not shown
	loadHistory();
	loadFailures();
	loadSchedules();
}

function refresh() {
	lastPoll = performance.now();
	reload();
	loadStats();
	loadSide();
}

onStream({
	opened() {
		refresh();
		showConnection();
	},
	lost() {
		setPolling();
		refresh();
		showConnection();
	},
	task: (text) => patch(parse(text)),
	progress: (text) => patchProgress(parse(text)),
	stats: (text) => showStats(parse(text)),
	reset: refresh,
});

document.addEventListener('click', (event) => {
	const link = event.target.closest('a[data-view], #tiles a');
	if (!link || event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
	event.preventDefault();
	const query = new URLSearchParams(link.search);
	const opens = query.has('task') || query.has('job');
	const trail = opens ? history.state?.trail : JSON.parse(link.dataset.view || '[]');
	go(link.href, { trail, opens });
	if (link.closest('.pager')) link.closest('section').scrollIntoView();
});

$('search').addEventListener('submit', (event) => {
	event.preventDefault();
	const range = $('range').value, between = range === 'between';
	go(urlOf({ q: $('q').value.trim(), range: between ? '' : range, from: between ? time($('from').value) : '', to: between ? time($('to').value) : '', jobs: '' }));
});
$('range').addEventListener('change', () => {
	$('between').hidden = $('range').value !== 'between';
	if ($('between').hidden) $('search').requestSubmit();
	else $('from').focus();
});
$('between').addEventListener('change', () => $('search').requestSubmit());
$('q').addEventListener('search', () => $('search').requestSubmit()); // also when it is emptied by its own button

$('pause').addEventListener('click', () => {
	setPaused(!isPaused());
	setText($('pause'), isPaused() ? 'Resume' : 'Pause');
	if (isPaused()) {
		disconnect();
		reload.drop();
	} else connect();
});

addEventListener('popstate', route);
document.addEventListener('visibilitychange', () => {
	if (document.hidden) disconnect();
	else if (!isPaused()) {
		connect();
		refresh();
	}
});

setInterval(() => {
	if (document.hidden || isPaused()) return;
	tickStream();
	const time = performance.now();
	if (hasDrifted() || (!live && time - lastPoll > pollEvery)) refresh();
	if (time - lastSide > sideEvery) {
		loadSide();
		loadStats(); // events leave by_name out
	}
	if (time - lastJobs > pollEvery) {
		lastJobs = time;
		loadJobs();
	}
	tickLists();
	tickJobs();
	tickSchedules();
	drawPanel();
	showConnection();
}, 1000);

for (const link of $('tiles').children) link.lastElementChild.prepend(icon(link.dataset.status || 'all'));
if (!document.hidden) connect();
loadStats();
route();
