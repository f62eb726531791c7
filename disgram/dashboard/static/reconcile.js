// Keeps a list of elements like a list of items, and replaces only those whose item changed: so that focus,
// scrolling and what was opened stay as they were.

export function reconcile(container, items, keyOf, render) {
  const old = new Map([...container.children].map((node) => [node.dataset.key, node]));
  items.forEach((item, index) => {
    const key = keyOf(item);
    const node = kept(old.get(key), item, render);
    node.dataset.key = key;
    old.delete(key);
    if (container.children[index] !== node) container.insertBefore(node, container.children[index] ?? null);
  });
  for (const node of old.values()) node.remove();
}

function kept(node, item, render) {
  const version = JSON.stringify(item);
  if (node?.version === version) return node;
  const fresh = render(item, node);
  fresh.version = version;
  if (node && fresh !== node) replace(node, fresh);
  return fresh;
}

// What had the focus has it again.
function replace(node, fresh) {
  const index = focusable(node).indexOf(document.activeElement);
  node.replaceWith(fresh);
  if (index >= 0) focusable(fresh)[index]?.focus();
}

function focusable(node) {
  return [...node.querySelectorAll("button, a, input, summary, select")];
}
