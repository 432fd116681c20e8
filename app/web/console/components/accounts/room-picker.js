/** Rooms to tick, building by building. */
import { html } from '../../../shared/ui.js';
import { useApp } from '../../app.js';

/** @param {{chosen: Set<number>, onChange: (chosen: Set<number>) => void}} props */
export function RoomPicker({ chosen, onChange }) {
  const { desk } = useApp();
  /** @type {Map<string, {id: number, name: string}[]>} */
  const buildings = new Map();
  for (const room of desk.staff.value?.rooms ?? []) buildings.set(room.building, [...(buildings.get(room.building) ?? []), room]);
  return html`<div class="accounts-rooms">
    ${[...buildings].map(
      ([building, rooms]) => html`<fieldset key=${building}>
        <legend>${building}</legend>
        ${rooms.map(
          ({ id, name }) => html`<label class="accounts-room" key=${id}>
            <input
              type="checkbox" checked=${chosen.has(id)}
              onChange=${(/** @type {any} */ event) => {
                const next = new Set(chosen);
                if (event.target.checked) next.add(id);
                else next.delete(id);
                onChange(next);
              }}
            />
            <span>${name}</span>
          </label>`,
        )}
      </fieldset>`,
    )}
  </div>`;
}
