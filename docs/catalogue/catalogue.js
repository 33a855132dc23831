const form = document.querySelector('.search');
if (form) {
  const rows = [...document.querySelectorAll('#facts + table tbody tr, #apps + table tbody tr')];
  const searched = rows.map((row) => ({ row, text: row.textContent.toLowerCase() }));
  const found = document.getElementById('found');
  const search = () => {
    const words = document.getElementById('search').value.toLowerCase().split(/\s+/).filter(Boolean);
    let count = 0;
    for (const { row, text } of searched) {
      row.hidden = !words.every((word) => text.includes(word));
      if (!row.hidden) count++;
    }
    found.textContent = words.length > 0 ? count + ' found' : '';
  };
  form.hidden = false;
  form.addEventListener('submit', (event) => event.preventDefault());
  form.addEventListener('input', search);
  search();
}
