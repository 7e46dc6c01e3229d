// What every drawing that moves on a page needs: elements, of HTML or of a drawing as their parent is.

const NS = "http://www.w3.org/2000/svg";
const element = (tag, parent, attributes = {}, text = "") => {
  const drawn = tag === "svg" || parent.namespaceURI === NS;
  const made = drawn ? document.createElementNS(NS, tag) : document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  if (text) made.textContent = text;
  parent.append(made);
  return made;
};

