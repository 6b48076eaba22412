// Notices, for eyes and for screen readers.

import { $, setText } from './dom.js';

const announceEvery = 5000; // milliseconds
let noticeTimer;

export function notify(text, stays) {
	clearTimeout(noticeTimer);
	setText($('notice').firstElementChild, text);
	$('notice').hidden = false;
	if (!stays) noticeTimer = setTimeout(() => { $('notice').hidden = true; }, 8000);
	announce('notice', text);
}

const announcements = new Map(); // by kind: the last of each
let announceTimer, announcedAt = -Infinity;

// announce tells screen readers, at most every 5 s.
export function announce(kind, text) {
	announcements.set(kind, text);
	announceTimer ??= setTimeout(() => {
		announceTimer = undefined;
		announcedAt = performance.now();
		$('announcement').textContent = [...announcements.values()].join(' ');
		announcements.clear();
	}, Math.max(0, announcedAt + announceEvery - performance.now()));
}

$('notice').querySelector('button').addEventListener('click', () => { $('notice').hidden = true; });
