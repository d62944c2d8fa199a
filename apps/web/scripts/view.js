import { cardOf } from './card.js';
import { contentOf } from './dialog.js';
import { partOf, sourceOf } from './draw/part.js';
import { texts } from './texts.js';

const byId = id => document.getElementById(id);
const [draw, kind, own, whole, checkButton] = ['draw', 'kind', 'own', 'whole', 'check'].map(byId);
const [title, price, note, gauge, opens, countdown, button, hint, announcement] = [
  'title',
  'price',
  'note',
  'gauge',
  'opens',
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

/**
 * Sets the text of an element if it differs. Setting the same text again would make a screen reader repeat it, and
 * would clear the visitor's selection.
 */
function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** Makes the element `parent` hold one child per item. Existing children are updated, not replaced. */
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
 * Reports the visitor's clicks, and the closing of the dialog, as events of the purchase.
 *
 * @param {(type: 'click' | 'pay' | 'giveUp' | 'restart' | 'close' | 'check') => void} tell called with each event; it must update
 *   the page before it returns
 */
export function listen(tell) {
  document.documentElement.lang = texts.locale;
  byId('draw-title').textContent = texts.draw.title;
  checkButton.addEventListener('click', () => tell('check'));
  byId('hide').setAttribute('aria-label', texts.close);
  button.addEventListener('click', () => (button.dataset.action === 'show' ? dialog.showModal() : tell('click')));
  byId('hide').addEventListener('click', () => dialog.close());
  actions.addEventListener('click', ({ target }) => {
    if (!(target instanceof HTMLButtonElement)) return;
    if (target.dataset.href) location.assign(target.dataset.href);
    else if (target.dataset.event) tell(target.dataset.event);
    else dialog.close();
  });
  // A button, Escape and the cross all close the dialog. The visitor has then read its content, for example how the
  // purchase ended.
  dialog.addEventListener('close', () => {
    tell('close');
    button.focus();
  });
}

/**
 * Updates the sale's page and the dialog about the purchase.
 *
 * @param {Parameters<typeof cardOf>[0] & {checked?: import('./draw/check.js').Checked}} page
 */
export function show({ checked = {}, ...page }) {
  const { sale, purchase, nowMs } = page;
  const source = checked.facts?.value === undefined ? sourceOf(checked.facts) : undefined;
  showDialog(contentOf(purchase, nowMs, { opensAtMs: sale?.opensAtMs, source }), purchase);
  showCard(cardOf(page));
  showDraw(partOf(sale, checked));
}

/** Shows the part "Check this draw". It opens by itself when something is wrong. */
function showDraw(part) {
  draw.hidden = !part;
  if (!part) return;
  setText(kind, part.kind);
  setText(own, part.own);
  setText(whole, part.whole);
  checkButton.hidden = !part.button;
  checkButton.disabled = part.button?.isBusy ?? false;
  setText(checkButton, part.button?.label ?? '');
  if (part.isWrong && draw.dataset.wrong !== 'yes') draw.open = true;
  draw.dataset.wrong = part.isWrong ? 'yes' : 'no';
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
  setText(opens, card.until);
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
  // An update may have removed the dialog's focused element. From the heading a keyboard reaches every button, and a
  // screen reader starts there.
  heading.focus();
}

function setAction(element, { label, event = '', href = '', disabled = false }) {
  setText(element, label);
  element.type = 'button';
  element.dataset.event = event;
  element.dataset.href = href;
  element.disabled = disabled;
}
