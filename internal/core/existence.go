package core

import "github.com/landfall-sync/landfall"

// exists: a creation's record is not there yet, every other's is, and the
// author may see it. To an author who may not see it, absent, invisible and
// taken are one and the same answer.
func (j *judging) exists(a *attempt) (*Refusal, error) {
	w, err := j.load(a.m.ID)
	if err != nil {
		return nil, err
	}
	a.w = w
	if err := j.refresh(w); err != nil {
		return nil, err
	}
	if a.step.current && w.now != nil {
		a.base = landfall.Base{Status: w.now.Status, Was: w.now.Fields}
		if w.stored != nil {
			a.base.Version = w.stored.Version
		}
	}
	sees, err := j.sees(w)
	if err != nil {
		return nil, err
	}
	if a.m.Op == landfall.OpCreate {
		if w.now == nil {
			return j.wholeThere(a)
		}
		if sees {
			return j.refuse(StageExistence, landfall.KindDuplicate, "", say(CodeDuplicate, title(a.t))), nil
		}
		return j.notAvailable(), nil
	}
	if !sees || w.now.Type != a.m.Type {
		return j.notAvailable(), nil
	}
	if w.now.Deleted && a.m.Op != landfall.OpRestore {
		return j.refuse(StageExistence, landfall.KindGone, "", say(CodeGone, title(a.t))), nil
	}
	return j.wholeThere(a)
}

func (j *judging) notAvailable() *Refusal {
	return j.refuse(StageExistence, landfall.KindNotAvailable, "", say(CodeNotAvailable, ""))
}
