package main

import (
	"fmt"

	"github.com/landfall-sync/landfall/internal/wire"
)

type settingCmd struct {
	List  settingListCmd  `cmd:"" help:"All settings, with what they are."`
	Set   settingSetCmd   `cmd:"" help:"Give a setting a value."`
	Reset settingResetCmd `cmd:"" help:"Give a setting its default again."`
}

type settingListCmd struct{}

// Run lists settings.
func (c *settingListCmd) Run(s *session) error {
	d, err := s.desk()
	if err != nil {
		return err
	}
	l, err := d.Settings(s.ctx)
	if err != nil {
		return err
	}
	return page(s, l, func(v *wire.SettingView) string { return v.Name }, "There are no settings that you may read.",
		[]string{"NAME", "VALUE", "DEFAULT", "SET BY", "SINCE", "WHAT IT IS FOR"}, func(v *wire.SettingView) []string {
			return []string{v.Name, v.Value, v.Default, v.By, when(v.At), v.Does}
		})
}

type settingSetCmd struct {
	Name  string `arg:"" help:"Which setting."`
	Value string `arg:"" help:"Its value."`
}

func (c *settingSetCmd) Help() string { return "Example:\n  landfall setting set inbox.keep 30d" }

// Run sets a setting.
func (c *settingSetCmd) Run(s *session) error {
	d, err := s.desk()
	if err != nil {
		return err
	}
	v, err := d.SetSetting(s.ctx, c.Name, c.Value)
	return s.setting(v, err)
}

type settingResetCmd struct {
	Name string `arg:"" help:"Which setting."`
}

func (c *settingResetCmd) Help() string { return "Example:\n  landfall setting reset inbox.keep" }

// Run resets a setting.
func (c *settingResetCmd) Run(s *session) error {
	d, err := s.desk()
	if err != nil {
		return err
	}
	v, err := d.ResetSetting(s.ctx, c.Name)
	return s.setting(v, err)
}

func (s *session) setting(v *wire.SettingView, err error) error {
	if err != nil {
		return err
	}
	return s.show(v, v.Value, func() { fmt.Fprintf(s.out, "%s is %s.\n", v.Name, v.Value) })
}
