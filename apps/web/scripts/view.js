import { cardOf } from './card.js';
import { contentOf } from './dialog.js';
import { texts } from './texts.js';

const byId = id => document.getElementById(id);
const [title, price, note, gauge, countdown, button, hint, announcement] = [
  'title',
  'price',
  'note',
  'gauge',
  'countdown',
  'buy',
  'hint',
  'announcement',
].map(byId);
const [dialog, heading, message, facts, notice, actions] = [
  'window',
  'heading',
  'message',
  'facts',
  'notice',
  'actions',
].map(byId);

/** Unchanged text is left alone: a screen reader would read it again, and a selection would be lost. */
function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** Makes `parent` hold one element per item, and tells each item to the element that is already there. */
function setChildren(parent, items, create, update) {
  while (parent.children.length > items.length) parent.lastElementChild.remove();
  while (parent.children.length < items.length) parent.append(create());
  items.forEach((item, i) => {
    update(parent.children[i], item);
  });
}

function pair(first, second) {
  const element = document.createElement('div');
  element.append(document.createElement(first), document.createElement(second));
  return element;
}

const setPair = (element, [first, second]) => {
  setText(element.firstElementChild, String(first));
  setText(element.lastElementChild, second);
};

/**
 * Connects the page with what the visitor may do.
 *
 * @param {(type: 'click' | 'pay' | 'giveUp' | 'restart' | 'close') => void} tell called with each of their decisions;
 *   shows the page anew before it returns
 */
export function listen(tell) {
  document.documentElement.lang = texts.locale;
  byId('opens').textContent = texts.opensIn;
  byId('hide').setAttribute('aria-label', texts.close);
  button.addEventListener('click', () => (button.dataset.action === 'show' ? dialog.showModal() : tell('click')));
  byId('hide').addEventListener('click', () => dialog.close());
  actions.addEventListener('click', ({ target }) => {
    if (!(target instanceof HTMLButtonElement)) return;
    if (target.dataset.href) location.assign(target.dataset.href);
    else if (target.dataset.event) tell(target.dataset.event);
    else dialog.close();
  });
  // However it was closed, by a button, Escape or the cross: an end that was read is over.
  dialog.addEventListener('close', () => {
    tell('close');
    button.focus();
  });
}

/** @param {Parameters<typeof cardOf>[0]} page everything there is to show */
export function show(page) {
  showWindow(contentOf(page.purchase, page.nowMs), page.purchase);
  showCard(cardOf(page));
}

/** @param {string} text read to those who don't see the page change */
export function announce(text) {
  setText(announcement, text);
}

function showCard(card) {
  if (document.title !== card.title) document.title = card.title;
  setText(title, card.title);
  setText(price, card.price);
  setText(note, card.note);
  gauge.hidden = card.share === undefined;
  gauge.value = card.share ?? 0;
  countdown.parentElement.hidden = card.countdown.length === 0;
  setChildren(
    countdown,
    card.countdown.map(([value, word]) => [String(value).padStart(2, '0'), word]),
    () => pair('b', 'span'),
    setPair,
  );
  button.hidden = card.button.label === '';
  setText(button, card.button.label);
  button.dataset.action = card.button.action ?? '';
  button.disabled = !card.button.action || dialog.open;
  setText(hint, dialog.open ? '' : card.hint);
}

function showWindow(content, purchase) {
  const isNews = dialog.dataset.step !== purchase.step;
  dialog.dataset.step = purchase.step;
  if (!content) {
    if (dialog.open) dialog.close();
    return;
  }
  dialog.dataset.mood = content.mood;
  setText(heading, content.heading);
  setText(message, content.message);
  setText(notice, texts.notice[purchase.notice] ?? '');
  setChildren(facts, content.facts, () => pair('dt', 'dd'), setPair);
  setChildren(actions, content.actions, () => document.createElement('button'), setAction);
  if (!isNews) return;
  if (!dialog.open) dialog.showModal();
  // What had the focus may be gone; from the heading a keyboard reaches everything, and a screen reader starts there.
  heading.focus();
}

function setAction(element, { label, event = '', href = '', disabled = false }) {
  setText(element, label);
  element.type = 'button';
  element.dataset.event = event;
  element.dataset.href = href;
  element.disabled = disabled;
}
