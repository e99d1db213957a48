// Package demo fills a server with believable people and reports, through its
// public interface only.
package demo

// Password is everybody's in the demo.
const Password = "landfall-demo"

// Admin is the demo's first administrator, who also looks after sync conflicts.
const Admin = "ada"

// Person is somebody in the demo.
type Person struct {
	Name, Title, Role string
}

// People are who works at uPlus beside Ada.
var People = []Person{
	{"emma", "Emma Lindqvist", "employee"},
	{"mara", "Mara Oyelaran", "manager"},
	{"tomasz", "Tomasz Zieliński", "manager"},
	{"jonas", "Jonas Becker", "employee"},
	{"priya", "Priya Raman", "employee"},
	{"luca", "Luca Ferretti", "employee"},
	{"amina", "Amina Haddad", "employee"},
	{"oskar", "Oskar Nieminen", "employee"},
	{"zofia", "Zofia Wójcik", "employee"},
	{"daniel", "Daniel Okafor", "employee"},
	{"marie", "Marie Dubois", "employee"},
	{"hana", "Hana Novák", "employee"},
	{"sven", "Sven Dahl", "sync_admin"},
}

// trips are what reports are about.
var trips = []struct {
	purpose, currency string
	least, most       int // in whole units of the currency
}{
	{"Train to the Munich office", "EUR", 60, 190},
	{"Hotel, two nights in Gdańsk", "PLN", 480, 1150},
	{"Dinner with the Harbour team", "EUR", 45, 240},
	{"Conference ticket, Field Service Days", "EUR", 290, 690},
	{"Taxi from the airport, Oslo", "EUR", 35, 95},
	{"Spare parts for site 14", "EUR", 18, 320},
	{"Parking at the customer's", "EUR", 6, 38},
	{"Flight Chicago, quarterly review", "USD", 540, 1320},
	{"Work boots and gloves", "EUR", 70, 180},
	{"Rental car, three days", "EUR", 130, 260},
	{"Team lunch after the audit", "EUR", 60, 210},
	{"Phone repair", "USD", 40, 160},
}

var rejections = []string{"The receipt is missing.", "Please split hotel and meals.", "This was booked on the company card already.", "The date is not readable on the photo."}
