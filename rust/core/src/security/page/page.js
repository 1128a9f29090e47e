'use strict';

// Sorting and searching. The page is whole without this: what is only of use with it appears with it.
(() => {
  const table = document.querySelector('table');
  const body = table.tBodies[0];
  const headers = [...table.tHead.rows[0].cells];
  const rows = [...body.rows];
  const collator = new Intl.Collator('en', { sensitivity: 'base', numeric: true });

  const value = (row, column) => row.cells[column].dataset.value;

  // What is not known comes last, whichever way is sorted.
  function order(column, isText, descending) {
    const sign = descending ? -1 : 1;
    return (one, other) => {
      const [first, second] = [value(one, column), value(other, column)];
      if (first === '' || second === '') {
        return (first === '') - (second === '');
      }
      return sign * (isText ? collator.compare(first, second) : first - second);
    };
  }

  function sort(header) {
    const isText = header.dataset.kind === 'text';
    const now = header.getAttribute('aria-sort');
    // Numbers begin with the largest, names with the first.
    const descending = now ? now === 'ascending' : !isText;
    rows.sort(order(header.cellIndex, isText, descending));
    body.append(...rows);
    headers.forEach((other) => other.removeAttribute('aria-sort'));
    header.setAttribute('aria-sort', descending ? 'descending' : 'ascending');
  }

  for (const header of headers) {
    const button = document.createElement('button');
    button.type = 'button';
    button.append(...header.childNodes);
    button.addEventListener('click', () => sort(header));
    header.append(button);
  }

  const search = document.getElementById('search');
  const found = document.getElementById('found');
  const texts = new Map(rows.map((row) => [row, row.cells[0].textContent.toLowerCase()]));

  function filter() {
    const wanted = search.value.trim().toLowerCase();
    let shown = 0;
    for (const row of rows) {
      row.hidden = !texts.get(row).includes(wanted);
      shown += row.hidden ? 0 : 1;
    }
    found.textContent = `${shown} of ${rows.length} customers`;
  }

  search.addEventListener('input', filter);
  filter();
  document.querySelector('.search').hidden = false;
})();
