package sqlite

import "github.com/landfall-sync/landfall"

var (
	qReferrers = statement("SELECT id FROM links WHERE ws = ? AND target = ? AND type = ? AND field = ? AND id > ? ORDER BY id LIMIT ?")
	qDropLinks = statement("DELETE FROM links WHERE ws = ? AND id = ?")
	qPutLink   = statement("INSERT INTO links (ws, target, type, field, id) VALUES (?, ?, ?, ?, ?)")
)

// Referrers implements store.Reader.
func (t *tx) Referrers(ws, target, typ, field, after string, limit int) ([]string, error) {
	return t.texts(qReferrers, ws, target, typ, field, after, limit)
}

// SetLinks implements store.Writer.
func (t *tx) SetLinks(ws, typ, id string, links []landfall.Link) error {
	if err := t.exec(qDropLinks, ws, id); err != nil {
		return err
	}
	for _, l := range links {
		if err := t.exec(qPutLink, ws, l.Target, typ, l.Field, id); err != nil {
			return err
		}
	}
	return nil
}
