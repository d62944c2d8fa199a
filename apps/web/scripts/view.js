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

/** Sets a text if it differs. Setting the same text again would make a screen reader repeat it, and lose a selection. */
function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** Makes `parent` hold one element per item. Elements that are there already are updated, not replaced. */
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
 * Connects the page with the visitor's decisions.
 *
 * @param {(type: 'click' | 'pay' | 'giveUp' | 'restart' | 'close') => void} tell called with each decision; it must update
 *   the page before it returns
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
  // A button, Escape and the cross all close the dialog. Then the visitor has read how the purchase ended.
  dialog.addEventListener('close', () => {
    tell('close');
    button.focus();
  });
}

/**
 * Updates the whole page.
 *
 * @param {Parameters<typeof cardOf>[0]} page
 */
export function show(page) {
  showDialog(contentOf(page.purchase, page.nowMs), page.purchase);
  showCard(cardOf(page));
}

/**
 * Has screen readers read a text aloud.
 *
 * @param {string} text
 */
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

function showDialog(content, purchase) {
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
  // The focused element may be gone. From the heading a keyboard reaches every action, and a screen reader starts there.
  heading.focus();
}

function setAction(element, { label, event = '', href = '', disabled = false }) {
  setText(element, label);
  element.type = 'button';
  element.dataset.event = event;
  element.dataset.href = href;
  element.disabled = disabled;
}
